"""Brings the stack to what a step says, also while the cluster is away for a moment."""

from collections.abc import Callable
from dataclasses import dataclass

from operations.canary.deploy.deployment import UpdateFailed
from operations.canary.environment import Environment
from operations.canary.outcome import HaltRequested, Outcome, RollbackRequested
from operations.canary.traffic import Traffic
from operations.errors import OperationError

POLL_SECONDS = 1.0
CLUSTER_SECONDS = 600.0
"""How long the cluster's API may be away. Traffic goes on by what the proxies know."""
MAX_ROLLBACK_ATTEMPTS = 5
"""How often the way back is tried while the cluster answers."""
TRIES_WITH_FILE = 2
"""After so many, the way back is made of the canary's copy: the stack file may be to blame."""
PAUSE_SECONDS = 2.0
"""Before the way back is tried again, and as much more each time: a full disk or a lock may need a moment."""


@dataclass(frozen=True, kw_only=True)
class RetryingDeployment:
    """Writes and deploys."""

    environment: Environment

    def once(self, traffic: Traffic, message: str, *, refresh: bool) -> None:
        """Deploy a step forward; one that fails twice with the cluster at hand leads back.

        Raises:
            RollbackRequested: it did not go through.
            HaltRequested: the cluster stays away.
        """
        self.environment.write(traffic)
        self.up(message, refresh=refresh)

    def up(self, message: str, *, refresh: bool = False, tick: Callable[[], None] | None = None) -> None:
        """Deploy what the stack file says.

        Args:
            message: what stands in the stack's history.
            refresh: look at what is really there first.
            tick: called now and then meanwhile; what it raises ends the update.

        Raises:
            RollbackRequested: it did not go through, twice.
            HaltRequested: the cluster stays away.
        """
        try:
            self.environment.up(message, refresh=refresh, tick=tick)
        except UpdateFailed as error:
            self._retry(error)
            self.await_cluster(error.what)
            try:
                self.environment.up(message, refresh=True, tick=tick)
            except UpdateFailed as again:
                raise RollbackRequested(
                    Outcome.rolled_back, f"{again.what}: {_last(again.evidence)}"
                ) from again

    def surely(self, traffic: Traffic, message: str) -> str | None:
        """Deploy the way back, as often as it takes, whatever goes wrong.

        Returns what the stack file lacks then, if anything: where it cannot be written, or does not deploy
        any more, the way back is made of the canary's own copy of it.

        Raises:
            Exception: it goes wrong again and again; of any type.
            HaltRequested: the cluster stays away.
        """
        lacking = self._written_back(traffic)
        attempt = 0
        while True:
            try:
                self.environment.up(message, refresh=attempt > 0)
            except Exception as error:  # whatever it is, the weights are not back yet
                attempt += 1
                if attempt == MAX_ROLLBACK_ATTEMPTS:
                    raise
                self._retry(error)
                self.await_cluster(_what(error))
                self.environment.sleep(PAUSE_SECONDS * attempt)
                if attempt == TRIES_WITH_FILE and not lacking:
                    lacking = self._copied(traffic, f"the stack file does not deploy: {_what(error)}")
            else:
                return lacking

    def _written_back(self, traffic: Traffic) -> str | None:
        """Write the stack file or else the copy; returns what the file lacks."""
        try:
            self.environment.write(traffic)
        except Exception as error:
            if lacking := self._copied(traffic, f"the stack file cannot be changed: {_what(error)}"):
                return lacking
            raise
        return None

    def _copied(self, traffic: Traffic, why: str) -> str | None:
        """Have updates take the copy; returns why, and what is to be changed in the file. None: no copy."""
        try:
            change = self.environment.write_copy(traffic)
        except Exception as error:  # noqa: BLE001 (then it goes on with the file)
            self.environment.report_line(f"{why}; and there is no copy to roll back by: {_what(error)}")
            return None
        self.environment.report_line(f"{why}; rolling back by the canary's copy of it")
        return f"{why}. Before the next pulumi up, {change}"

    def _retry(self, error: Exception) -> None:
        """Say what went wrong, in Pulumi's own words, before it is tried again."""
        evidence = error.evidence if isinstance(error, OperationError) else ""
        self.environment.report_line("\n  ".join([f"{_what(error)}; once more", *evidence.splitlines()]))

    def await_cluster(self, why: str) -> None:
        """Wait until the cluster's API answers.

        Raises:
            HaltRequested: it stays away.
        """
        deadline = self.environment.now() + CLUSTER_SECONDS
        while not self._answers():
            if self.environment.now() > deadline:
                raise HaltRequested(Outcome.held, f"the cluster does not answer: {why}")
            self.environment.sleep(POLL_SECONDS)

    def _answers(self) -> bool:
        try:
            return self.environment.answers()
        except Exception:  # noqa: BLE001 (that it cannot be asked is no reason not to try)
            return True


def _what(error: Exception) -> str:
    """Name an error in one line."""
    what = error.what if isinstance(error, OperationError) else f"{type(error).__name__}: {error}"
    return " ".join(what.split())


def _last(evidence: str) -> str:
    lines = [line.strip() for line in evidence.splitlines() if "error:" in line.lower()]
    return lines[-1] if lines else evidence.strip().rpartition("\n")[2]
