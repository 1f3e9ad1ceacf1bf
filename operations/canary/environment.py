"""What a canary acts on: an interface, so that a test runs a canary without a cluster."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Literal, Protocol

from operations.canary.analysis.checks import Check, Measured
from operations.canary.deploy.hooks import Occasion
from operations.canary.journal.inbox import Command
from operations.canary.plan import Hook
from operations.canary.terminal.state import CanaryState
from operations.canary.traffic import Traffic


class Environment(Protocol):
    """A stack, its cluster, its metrics, and the user."""

    def now(self) -> float:
        """Return the observed time in seconds; it never jumps."""

    def sleep(self, seconds: float) -> None:
        """Sleep."""

    def write(self, traffic: Traffic) -> None:
        """Write the traffic into the stack file."""

    def write_copy(self, traffic: Traffic) -> str:
        """Write the traffic into a copy of the last deployed stack file, and deploy that from now on.

        Returns what the user has to change in the stack file itself.

        Raises:
            OperationError: there is no copy, or it cannot be written.
        """

    def remove_versions(self, versions: set[str]) -> None:
        """Remove versions from the stack file."""

    def up(self, message: str, *, refresh: bool, tick: Callable[[], None] | None = None) -> None:
        """Deploy the stack file.

        Args:
            message: the message of the update in the stack's history.
            refresh: read the cluster into the state first.
            tick: called now and then meanwhile; an exception ends the update between two objects.

        Raises:
            UpdateFailed: the update failed.
        """

    def synced(self) -> AbstractContextManager[None]:
        """Wait at the end of a block until every proxy has acknowledged the routes changed in it.

        The wait is a fixed time if istiod cannot be queried. Proxies that are late are reported.
        """

    def manual_rollback(self, traffic: Traffic) -> Sequence[str]:
        """List commands that change the routes to this traffic without Pulumi."""

    def ready(self, version: str) -> int | None:
        """Count the ready pods of a version; None if unknown."""

    def answers(self) -> bool:
        """Return whether the cluster's API answers."""

    def drift(self) -> list[str]:
        """List manual changes of the routes, each with its field manager.

        Raises:
            OperationError: the routes cannot be read.
        """

    def measure(self, window: float) -> Mapping[str, Measured]:
        """Measure every version over the last seconds.

        Raises:
            MetricsError: the metrics cannot be read.
        """

    def value(self, check: Check, version: str, window: float) -> float | None:
        """Run a custom query; None if it has no data.

        Raises:
            MetricsError: it failed.
        """

    def run_hook(self, hook: Hook, occasion: Occasion, tick: Callable[[], None]) -> str | None:
        """Run a hook; returns its error."""

    def command(self) -> Command | None:
        """Take the next command of another terminal."""

    def reply(self, text: str, *, accepted: bool = True) -> None:
        """Answer the command that was taken last: what happens now, or why it is refused."""

    def interrupted(self) -> Literal["hold", "back"] | None:
        """Return the user's answer to Ctrl-C, or "back" if the process has to end."""

    def note(self, event: str, **words: object) -> bool:
        """Write an entry to the journal; returns whether it is on disk.

        Raises:
            OSError: there is no room for it.
        """

    def report_line(self, line: str) -> None:
        """Print a line."""

    def show(self, state: CanaryState) -> None:
        """Show the state."""
