"""Deploys the traffic of a step, and retries while the cluster does not answer."""

from collections.abc import Callable
from dataclasses import dataclass

from operations.canary.deploy.deployment import UpdateFailed
from operations.canary.environment import Environment
from operations.canary.outcome import HaltRequested, Outcome, RollbackRequested
from operations.canary.traffic import Traffic
from operations.errors import OperationError

POLL_SECONDS = 1.0
CLUSTER_SECONDS = 600.0
"""How long to wait for the cluster's API. The proxies keep routing meanwhile."""
MAX_ROLLBACK_ATTEMPTS = 5
"""How often a rollback is tried while the cluster answers."""
TRIES_WITH_FILE = 2
"""After this many, the rollback uses the canary's copy: the stack file may be the cause."""
PAUSE_SECONDS = 2.0
"""Before a rollback is tried again, and as much more each time: for a full disk, or a lock."""


@dataclass(frozen=True, kw_only=True)
class RetryingDeployment:
    """Writes and deploys."""

    environment: Environment

    def once(self, traffic: Traffic, message: str, *, refresh: bool) -> None:
        """Deploy a step, and wait until the proxies have acknowledged its routes.

        Raises:
            RollbackRequested: the update failed twice while the cluster answered.
            HaltRequested: the cluster does not answer.
        """
        self.environment.write(traffic)
        with self.environment.synced():
            self.up(message, refresh=refresh)

    def up(self, message: str, *, refresh: bool = False, tick: Callable[[], None] | None = None) -> None:
        """Deploy the stack file.

        Args:
            message: the message of the update in the stack's history.
            refresh: read the cluster into the state first.
            tick: called now and then meanwhile; an exception ends the update.

        Raises:
            RollbackRequested: the update failed twice.
            HaltRequested: the cluster does not answer.
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
        """Deploy a rollback, with several attempts after any error.

        If the stack file cannot be written or deployed, the canary's own copy of it is deployed. Returns
        what the user then has to change in the stack file.

        Raises:
            Exception: the last attempt failed; of any type.
            HaltRequested: the cluster does not answer.
        """
        lacking = self._written_back(traffic)
        attempt = 0
        while True:
            try:
                self.environment.up(message, refresh=attempt > 0)
            except Exception as error:  # any error: the weights are not rolled back yet
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
        """Write the stack file or else the copy; returns what to change in the file."""
        try:
            self.environment.write(traffic)
        except Exception as error:
            if lacking := self._copied(traffic, f"the stack file cannot be changed: {_what(error)}"):
                return lacking
            raise
        return None

    def _copied(self, traffic: Traffic, why: str) -> str | None:
        """Use the copy for updates; returns why, and what to change in the file. None: there is no copy."""
        try:
            change = self.environment.write_copy(traffic)
        except Exception as error:  # noqa: BLE001 (the stack file is tried again)
            self.environment.report_line(
                f"{why}; and the canary has no copy to roll back with: {_what(error)}"
            )
            return None
        self.environment.report_line(f"{why}; rolling back with the canary's copy of it")
        return f"{why}. Before the next pulumi up, {change}"

    def _retry(self, error: Exception) -> None:
        """Print the error with Pulumi's own output before another attempt."""
        evidence = error.evidence if isinstance(error, OperationError) else ""
        self.environment.report_line("\n  ".join([f"{_what(error)}; trying again", *evidence.splitlines()]))

    def await_cluster(self, why: str) -> None:
        """Wait until the cluster's API answers.

        Raises:
            HaltRequested: it does not answer in time.
        """
        deadline = self.environment.now() + CLUSTER_SECONDS
        while not self._answers():
            if self.environment.now() > deadline:
                raise HaltRequested(Outcome.held, f"the cluster does not answer: {why}")
            self.environment.sleep(POLL_SECONDS)

    def _answers(self) -> bool:
        try:
            return self.environment.answers()
        except Exception:  # noqa: BLE001 (an unknown state is no reason not to try)
            return True


def _what(error: Exception) -> str:
    """Write an error on one line."""
    what = error.what if isinstance(error, OperationError) else f"{type(error).__name__}: {error}"
    return " ".join(what.split())


def _last(evidence: str) -> str:
    lines = [line.strip() for line in evidence.splitlines() if "error:" in line.lower()]
    return lines[-1] if lines else evidence.strip().rpartition("\n")[2]
