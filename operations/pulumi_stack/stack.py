"""`pulumi preview`, `refresh` and `up` of one stack, with the program in this process (Automation API)."""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, TypeVar

from pulumi import automation as auto

from operations.errors import OperationError
from operations.pulumi_stack import locks
from operations.pulumi_stack.program_run import (
    NO_VARIABLES,
    InlineProgram,
    program_environment,
    runs_in_process,
)
from operations.pulumi_stack.project import Project

T = TypeVar("T")
ReportLine = Callable[[str], None]

LOG_LINES: Final = 15
"""Lines of Pulumi's output that an error shows."""

QUIET: Final = {auto.OpType.SAME, auto.OpType.READ, auto.OpType.REFRESH}
"""Operations that change no object."""

REPEATED: Final = "an unhandled error occurred: "
"""How the engine begins when it reports an error of an inline program, which the SDK has reported already."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """What an update does to one resource."""

    op: auto.OpType
    type: str
    urn: str
    fields: Sequence[str]
    """The fields that change, where Pulumi lists them."""

    def __str__(self) -> str:
        """Return the operation, the kind and the name."""
        return f"{self.op.value} {spelled(self.urn)}"


@cache
def installed() -> auto.PulumiCommand:
    """Find the installed pulumi once; each new PulumiCommand runs `pulumi version`."""
    return auto.PulumiCommand()


class PulumiStack:
    """A stack of a project, with the config of its stack file.

    Args:
        folder: the project's folder.
        stack: the stack's name.
        report_line: gets a line for each resource that changes.
        variables: environment variables for pulumi and the program, besides those of this process.
        create: create the stack if it does not exist.
        wait: seconds to wait for another update to end.
        command: the pulumi to run, in place of the installed one.

    Raises:
        OperationError: the stack does not exist. Of the methods too: another update runs, or Pulumi failed.
    """

    def __init__(
        self,
        folder: Path,
        stack: str,
        report_line: ReportLine,
        *,
        variables: Mapping[str, str] = NO_VARIABLES,
        create: bool = False,
        wait: float = 0,
        command: auto.PulumiCommand | None = None,
    ) -> None:
        self.name, self.report_line, self._wait = stack, report_line, wait
        self._variables = variables
        project = Project.at(folder)
        self._program = InlineProgram(project.program) if runs_in_process(project) else None
        self._workspace = workspace = auto.LocalWorkspace(
            work_dir=str(folder),
            env_vars=dict(variables),
            pulumi_command=command or installed(),
        )
        self.stack = self.run("stack select", lambda: _select(stack, workspace, create=create))

    def preview(self) -> list[Change]:
        """List what `pulumi up` would change."""
        changes: list[Change] = []
        errors: list[str] = []

        def listen(event: auto.EngineEvent) -> None:
            if event.resource_pre_event and event.resource_pre_event.metadata.op not in QUIET:
                step = event.resource_pre_event.metadata
                fields = sorted(step.detailed_diff or ())
                changes.append(Change(op=step.op, type=step.type, urn=step.urn, fields=fields))
            _note_error(event, errors)

        self._run_program("preview", lambda: self.stack.preview(on_event=listen, on_output=_ignore), errors)
        return changes

    def outputs(self) -> auto.OutputMap:
        """Read the outputs of the last update."""
        return self.run("stack output", lambda: self.stack.workspace.stack_outputs(self.name))

    def refresh(self, *, run_program: bool = False, forget_pending: bool = False) -> None:
        """Read the live objects into the state.

        Args:
            run_program: use the providers as the program configures them now.
            forget_pending: drop the creations that an interrupted update left pending.
        """
        errors: list[str] = []
        self._run_program(
            "refresh",
            lambda: self.stack.refresh(
                run_program=run_program,
                clear_pending_creates=forget_pending or None,
                on_event=lambda event: _note_error(event, errors),
                on_output=_ignore,
            ),
            errors,
        )

    def up(
        self,
        *,
        but: Sequence[str] = (),
        refresh: bool = False,
        message: str | None = None,
        config: Path | None = None,
    ) -> None:
        """Deploy what the stack file declares.

        Args:
            but: URNs of resources to leave as they are.
            refresh: read the live objects first, so that manual changes are reverted.
            message: text for the stack's history.
            config: a file to read in place of the stack file.
        """
        errors: list[str] = []

        def listen(event: auto.EngineEvent) -> None:
            if event.resource_pre_event and event.resource_pre_event.metadata.op not in QUIET:
                step = event.resource_pre_event.metadata
                self.report_line(f"{step.op.value} {spelled(step.urn)}")
            _note_error(event, errors)

        self._run_program(
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
            errors,
        )

    def run(self, verb: str, work: Callable[[], T], errors: Sequence[str] = ()) -> T:
        """Run a Pulumi command, wait for the stack's lock, and turn a failure into an OperationError."""
        with _reporting(self.name, verb, errors):
            return locks.patiently(work, stack=self.name, seconds=self._wait, report_line=self.report_line)

    def _run_program(self, verb: str, work: Callable[[], T], errors: Sequence[str]) -> T:
        def in_its_environment() -> T:
            program = None if InlineProgram.is_unfinished else self._program
            self._workspace.program = program
            if program is None:
                return work()  # the pulumi command starts the program
            with program_environment(program.folder, self._variables):
                result = work()
            program.finish()
            return result

        return self.run(verb, in_its_environment, errors)


def spelled(urn: str) -> str:
    """Return the kind and name of a resource."""
    kind, name = urn.split("::")[2:4]
    return f"{kind.rpartition(':')[2]} {name}"


def _select(name: str, workspace: auto.LocalWorkspace, *, create: bool) -> auto.Stack:
    """Select a stack, without the commands that the SDK runs after each update.

    They fetch outputs and history, which nothing here reads: 1.0 s of the 2.2 s of an update of weights.
    """
    stack = (auto.Stack.create_or_select if create else auto.Stack.select)(name, workspace)
    summary = auto.UpdateSummary("update", dt.datetime.now(dt.UTC), "", {}, {}, "succeeded")
    stack.outputs = dict  # type: ignore[method-assign]
    stack.info = lambda show_secrets=True: summary  # type: ignore[method-assign]  # noqa: ARG005
    return stack


@contextmanager
def _reporting(stack: str, verb: str, errors: Sequence[str]) -> Iterator[None]:
    try:
        yield
    except auto.StackNotFoundError as error:
        raise OperationError(
            f"there is no stack {stack} at this backend",
            fix=f"pulumi stack ls; or create it: pulumi stack init {stack}",
        ) from error
    except auto.CommandError as error:
        lines = errors or [line for line in str(error).splitlines() if line.strip()]
        raise OperationError(
            f"`pulumi {verb}` failed for stack {stack}; what received traffic still does",
            evidence="\n".join(lines[-LOG_LINES:]),
            fix="correct the cause, then run the same command again: it resumes from here",
        ) from error


def _note_error(event: auto.EngineEvent, errors: list[str]) -> None:
    if not event.diagnostic_event or event.diagnostic_event.severity != "error":
        return
    message = event.diagnostic_event.message.removeprefix(REPEATED)
    lines = [line for line in message.splitlines() if line.strip()]
    if not set(lines) <= set(errors):
        errors.extend(lines)


def _ignore(_: str) -> None:
    """Drop Pulumi's own display: the events have everything that is reported."""
