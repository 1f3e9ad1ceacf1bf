"""Everything outside that a canary looks at or acts on, so that its course can be tried without it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, Protocol

from operations.canary.analysis.checks import Check, Measured
from operations.canary.deploy.hooks import Occasion
from operations.canary.journal.inbox import Command
from operations.canary.plan import Hook
from operations.canary.terminal.state import CanaryState
from operations.canary.traffic import Traffic


class Environment(Protocol):
    """A stack, its cluster, its figures, and the people who watch."""

    def now(self) -> float:
        """Tell the time that was observed, in seconds from any beginning: it never jumps."""

    def sleep(self, seconds: float) -> None:
        """Let time go by."""

    def write(self, traffic: Traffic) -> None:
        """Say in the stack file who gets what."""

    def write_copy(self, traffic: Traffic) -> str:
        """Say it in a copy of the stack file as it was last known, which updates take from now on.

        Until the stack file itself can be written again. Returns what a person has to change in that.

        Raises:
            OperationError: no copy is known, or no folder takes it.
        """

    def remove_versions(self, versions: set[str]) -> None:
        """Take versions out of the stack file."""

    def up(self, message: str, *, refresh: bool, tick: Callable[[], None] | None = None) -> None:
        """Bring the cluster to what the stack file says.

        Args:
            message: what stands in the stack's history.
            refresh: look at what is really there first.
            tick: called now and then meanwhile; what it raises ends the update, whole objects only.

        Raises:
            UpdateFailed: it did not go through.
        """

    def manual_rollback(self, traffic: Traffic) -> Sequence[str]:
        """List the commands by which a person brings the routes to this traffic without Pulumi."""

    def ready(self, version: str) -> int | None:
        """Count the ready pods of a version; None where nobody can tell just now."""

    def answers(self) -> bool:
        """Tell whether the cluster's API answers."""

    def drift(self) -> list[str]:
        """List what others changed of the routes, each with who did it.

        Raises:
            OperationError: nobody can tell just now.
        """

    def measure(self, window: float) -> Mapping[str, Measured]:
        """Take the figures of every version over the last seconds.

        Raises:
            MetricsError: there are none to be had.
        """

    def value(self, check: Check, version: str, window: float) -> float | None:
        """Ask the team's own query; None where it has no data.

        Raises:
            MetricsError: it cannot be asked.
        """

    def run_hook(self, hook: Hook, occasion: Occasion, tick: Callable[[], None]) -> str | None:
        """Run a hook; returns what went wrong."""

    def command(self) -> Command | None:
        """Take what somebody asked for from another terminal."""

    def reply(self, text: str, *, accepted: bool = True) -> None:
        """Answer the wish that was taken last: what happens now, or why nothing does."""

    def interrupted(self) -> Literal["hold", "back"] | None:
        """Tell what somebody wants who pressed Ctrl-C, or where the process is asked to end."""

    def note(self, event: str, **words: object) -> bool:
        """Keep something in the journal; returns whether it is on disk.

        Raises:
            OSError: there is no room for it just now.
        """

    def report_line(self, line: str) -> None:
        """Say something to whoever watches."""

    def show(self, state: CanaryState) -> None:
        """Show where things stand."""
