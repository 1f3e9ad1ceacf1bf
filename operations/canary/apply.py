"""Brings the stack to what a step says, also while the cluster is away for a moment."""

from collections.abc import Callable
from dataclasses import dataclass

from operations.canary.deploy import UpError
from operations.canary.outcome import BackError, Outcome, StopError
from operations.canary.traffic import Traffic
from operations.canary.world import World

POLL_SECONDS = 1.0
CLUSTER_SECONDS = 600.0
"""How long the cluster's API may be away. Traffic goes on by what the proxies know."""
WAYS_BACK = 5
"""How often the way back is tried while the cluster answers."""


@dataclass(frozen=True, kw_only=True)
class Apply:
    """Writes and deploys."""

    world: World

    def once(self, traffic: Traffic, message: str, *, refresh: bool) -> None:
        """Deploy a step forward; one that fails twice with the cluster at hand leads back.

        Raises:
            BackError: it did not go through.
            StopError: the cluster stays away.
        """
        self.world.write(traffic)
        self.up(message, refresh=refresh)

    def up(self, message: str, *, refresh: bool = False, tick: Callable[[], None] | None = None) -> None:
        """Deploy what the stack file says.

        Args:
            message: what stands in the stack's history.
            refresh: look at what is really there first.
            tick: called now and then meanwhile; what it raises ends the update.

        Raises:
            BackError: it did not go through, twice.
            StopError: the cluster stays away.
        """
        try:
            self.world.up(message, refresh=refresh, tick=tick)
        except UpError as error:
            self._once_more(error)
            self.await_cluster(error.what)
            try:
                self.world.up(message, refresh=True, tick=tick)
            except UpError as again:
                raise BackError(Outcome.rolled_back, f"{again.what}: {_last(again.evidence)}") from again

    def surely(self, traffic: Traffic, message: str) -> None:
        """Deploy the way back, as often as it takes.

        Raises:
            UpError: it goes wrong again and again.
            StopError: the cluster stays away.
        """
        self.world.write(traffic)
        for attempt in range(WAYS_BACK):
            try:
                self.world.up(message, refresh=attempt > 0)
            except UpError as error:
                if attempt + 1 == WAYS_BACK:
                    raise
                self._once_more(error)
                self.await_cluster(error.what)
            else:
                return

    def _once_more(self, error: UpError) -> None:
        """Say what went wrong, in Pulumi's own words, before it is tried again."""
        self.world.tell("\n  ".join([f"{error.what}; once more", *error.evidence.splitlines()]))

    def await_cluster(self, why: str) -> None:
        """Wait until the cluster's API answers.

        Raises:
            StopError: it stays away.
        """
        deadline = self.world.now() + CLUSTER_SECONDS
        while not self.world.answers():
            if self.world.now() > deadline:
                raise StopError(Outcome.held, f"the cluster does not answer: {why}")
            self.world.sleep(POLL_SECONDS)


def _last(evidence: str) -> str:
    lines = [line.strip() for line in evidence.splitlines() if "error:" in line.lower()]
    return lines[-1] if lines else evidence.strip().rpartition("\n")[2]
