"""`pulumi preview`, `refresh` and `up` of one stack, through the Automation API, told line by line."""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, TypeVar

from pulumi import automation as auto
from pulumi.automation._stack import StackInitMode

from operations.errors import OperationError
from operations.pulumi_stack import locks

T = TypeVar("T")
ReportLine = Callable[[str], None]

LOG_LINES: Final = 15
"""Lines of Pulumi's own words that an error shows."""

QUIET: Final = {auto.OpType.SAME, auto.OpType.READ, auto.OpType.REFRESH}
"""What leaves an object as it is."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """What an update does to one resource."""

    op: auto.OpType
    type: str
    urn: str
    fields: Sequence[str]
    """The fields that change, where Pulumi says them."""

    def __str__(self) -> str:
        """As a person reads it."""
        return f"{self.op.value} {spelled(self.urn)}"


@cache
def installed() -> auto.PulumiCommand:
    """Find the pulumi that is installed; a workspace that finds its own asks for the version each time."""
    return auto.PulumiCommand()


class _Stack(auto.Stack):
    """Asks for nothing after an update: of its outputs and its entry in the history nobody here reads."""

    def outputs(self) -> auto.OutputMap:
        """Spare two commands."""
        return {}

    def info(self, show_secrets: bool = True) -> auto.UpdateSummary:
        """Spare the third; an update that failed has said so before."""
        del show_secrets
        now = dt.datetime.now(dt.UTC)
        return auto.UpdateSummary(
            kind="update", start_time=now, message="", environment={}, config={}, result="succeeded"
        )


class PulumiStack:
    """A stack of a project's folder, with its own config.

    Args:
        folder: the project's.
        stack: its name.
        report_line: is told each step.
        environment: variables for Pulumi, besides those of this process.
        create: make the stack if it is not there.
        wait: seconds to wait for another update to end.
        command: what runs pulumi, where it is not to be run as it is.

    Raises:
        OperationError: no such stack; of the methods too: another update runs, or Pulumi failed.
    """

    def __init__(
        self,
        folder: Path,
        stack: str,
        report_line: ReportLine,
        *,
        environment: Mapping[str, str] | None = None,
        create: bool = False,
        wait: float = 0,
        command: auto.PulumiCommand | None = None,
    ) -> None:
        self.name, self.report_line, self._wait = stack, report_line, wait
        mode = StackInitMode.CREATE_OR_SELECT if create else StackInitMode.SELECT
        workspace = auto.LocalWorkspace(
            work_dir=str(folder), env_vars=dict(environment or {}), pulumi_command=command or installed()
        )
        self.stack = self.run("stack select", lambda: _Stack(stack, workspace, mode))

    def preview(self) -> list[Change]:
        """List what `pulumi up` would change."""
        changes: list[Change] = []
        said: list[str] = []

        def listen(event: auto.EngineEvent) -> None:
            if event.resource_pre_event and event.resource_pre_event.metadata.op not in QUIET:
                step = event.resource_pre_event.metadata
                fields = sorted(step.detailed_diff or ())
                changes.append(Change(op=step.op, type=step.type, urn=step.urn, fields=fields))
            _hear(event, said)

        self.run("preview", lambda: self.stack.preview(on_event=listen, on_output=_ignore), said)
        return changes

    def outputs(self) -> auto.OutputMap:
        """Read what the program exported last."""
        return self.run("stack output", lambda: self.stack.workspace.stack_outputs(self.name))

    def refresh(self, *, run_program: bool = False, forget_pending: bool = False) -> None:
        """Read what is live into the state.

        Args:
            run_program: take the providers as the program makes them now.
            forget_pending: drop the creations that an interrupted update left open: only Pulumi's own
                command may, for it writes the state that it has just read.
        """
        said: list[str] = []
        self.run(
            "refresh",
            lambda: self.stack.refresh(
                run_program=run_program,
                clear_pending_creates=forget_pending or None,
                on_event=lambda event: _hear(event, said),
                on_output=_ignore,
            ),
            said,
        )

    def up(
        self,
        *,
        but: Sequence[str] = (),
        refresh: bool = False,
        message: str | None = None,
        config: Path | None = None,
    ) -> None:
        """Bring everything to what the stack file says.

        Args:
            but: URNs of resources to leave as they are.
            refresh: read what is live first, so that what a hand changed is changed back.
            message: what stands in the stack's history.
            config: a file in the place of the stack file.
        """
        said: list[str] = []

        def listen(event: auto.EngineEvent) -> None:
            if event.resource_pre_event and event.resource_pre_event.metadata.op not in QUIET:
                step = event.resource_pre_event.metadata
                self.report_line(f"{step.op.value} {spelled(step.urn)}")
            _hear(event, said)

        self.run(
            "up",
            lambda: self.stack.up(
                exclude=list(but) or None,
                refresh=refresh or None,
                run_program=True if refresh else None,
                message=message,
                config_file=str(config) if config else None,
                on_event=listen,
                on_output=_ignore,
            ),
            said,
        )

    def run(self, verb: str, work: Callable[[], T], said: Sequence[str] = ()) -> T:
        """Do something that Pulumi does, and say in words what went wrong."""
        with _reporting(self.name, verb, said):
            return locks.patiently(work, stack=self.name, seconds=self._wait, report_line=self.report_line)


def spelled(urn: str) -> str:
    """Name a resource as a person does."""
    kind, name = urn.split("::")[2:4]
    return f"{kind.rpartition(':')[2]} {name}"


@contextmanager
def _reporting(stack: str, verb: str, said: Sequence[str]) -> Iterator[None]:
    try:
        yield
    except auto.StackNotFoundError as error:
        raise OperationError(
            f"there is no stack {stack} at this backend",
            fix=f"pulumi stack ls; or make it: pulumi stack init {stack}",
        ) from error
    except auto.CommandError as error:
        lines = said or [line for line in str(error).splitlines() if line.strip()]
        raise OperationError(
            f"`pulumi {verb}` failed for stack {stack}; what served goes on serving",
            evidence="\n".join(lines[-LOG_LINES:]),
            fix="mend what it says, then the same command again: it goes on from here",
        ) from error


def _hear(event: auto.EngineEvent, said: list[str]) -> None:
    if event.diagnostic_event and event.diagnostic_event.severity == "error":
        said.extend(line for line in event.diagnostic_event.message.splitlines() if line.strip())


def _ignore(_: str) -> None:
    """Pulumi's own display: what matters of it comes as events."""
