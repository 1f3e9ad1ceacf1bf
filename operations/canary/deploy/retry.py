"""Brings the stack to what a step says, also while the cluster is away for a moment."""

from collections.abc import Callable
from dataclasses import dataclass

from operations.canary.deploy.deployment import UpError
from operations.canary.environment import World
from operations.canary.outcome import BackError, Outcome, StopError
from operations.canary.traffic import Traffic
from operations.errors import OperationError

POLL_SECONDS = 1.0
CLUSTER_SECONDS = 600.0
"""How long the cluster's API may be away. Traffic goes on by what the proxies know."""
WAYS_BACK = 5
"""How often the way back is tried while the cluster answers."""
TRIES_WITH_FILE = 2
"""After so many, the way back is made of the canary's copy: the stack file may be to blame."""
PAUSE_SECONDS = 2.0
"""Before the way back is tried again, and as much more each time: a full disk or a lock may need a moment."""


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

    def surely(self, traffic: Traffic, message: str) -> str | None:
        """Deploy the way back, as often as it takes, whatever goes wrong.

        Returns what the stack file lacks then, if anything: where it cannot be written, or does not deploy
        any more, the way back is made of the canary's own copy of it.

        Raises:
            Exception: it goes wrong again and again; of any type.
            StopError: the cluster stays away.
        """
        lacking = self._written_back(traffic)
        attempt = 0
        while True:
            try:
                self.world.up(message, refresh=attempt > 0)
            except Exception as error:  # whatever it is, the weights are not back yet
                attempt += 1
                if attempt == WAYS_BACK:
                    raise
                self._once_more(error)
                self.await_cluster(_what(error))
                self.world.sleep(PAUSE_SECONDS * attempt)
                if attempt == TRIES_WITH_FILE and not lacking:
                    lacking = self._copied(traffic, f"the stack file does not deploy: {_what(error)}")
            else:
                return lacking

    def _written_back(self, traffic: Traffic) -> str | None:
        """Write the stack file or else the copy; returns what the file lacks."""
        try:
            self.world.write(traffic)
        except Exception as error:
            if lacking := self._copied(traffic, f"the stack file cannot be changed: {_what(error)}"):
                return lacking
            raise
        return None

    def _copied(self, traffic: Traffic, why: str) -> str | None:
        """Have updates take the copy; returns why, and what is to be changed in the file. None: no copy."""
        try:
            change = self.world.write_copy(traffic)
        except Exception as error:  # noqa: BLE001 (then it goes on with the file)
            self.world.tell(f"{why}; and there is no copy to roll back by: {_what(error)}")
            return None
        self.world.tell(f"{why}; rolling back by the canary's copy of it")
        return f"{why}. Before the next pulumi up, {change}"

    def _once_more(self, error: Exception) -> None:
        """Say what went wrong, in Pulumi's own words, before it is tried again."""
        evidence = error.evidence if isinstance(error, OperationError) else ""
        self.world.tell("\n  ".join([f"{_what(error)}; once more", *evidence.splitlines()]))

    def await_cluster(self, why: str) -> None:
        """Wait until the cluster's API answers.

        Raises:
            StopError: it stays away.
        """
        deadline = self.world.now() + CLUSTER_SECONDS
        while not self._answers():
            if self.world.now() > deadline:
                raise StopError(Outcome.held, f"the cluster does not answer: {why}")
            self.world.sleep(POLL_SECONDS)

    def _answers(self) -> bool:
        try:
            return self.world.answers()
        except Exception:  # noqa: BLE001 (that it cannot be asked is no reason not to try)
            return True


def _what(error: Exception) -> str:
    """Name an error in one line."""
    what = error.what if isinstance(error, OperationError) else f"{type(error).__name__}: {error}"
    return " ".join(what.split())


def _last(evidence: str) -> str:
    lines = [line.strip() for line in evidence.splitlines() if "error:" in line.lower()]
    return lines[-1] if lines else evidence.strip().rpartition("\n")[2]
