"""`python -m operations traffic`: one sample, or one every two seconds."""

import sys
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from typing import Final

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from operations.errors import OperationError
from operations.pulumi_stack.project import Project
from operations.traffic.output import as_document, as_json, tables
from operations.traffic.snapshot import Sample, Target

OK, NO_METRICS = 0, 1
EVERY_SECONDS: Final = 2.0


@dataclass(frozen=True, kw_only=True)
class Request:
    """The options of the command."""

    stack: str
    service: str | None = None
    """One of several services; None for all."""
    window: float = 60.0
    """Seconds over which requests are measured."""
    watch: bool = False
    json: bool = False


def traffic(
    project: Project, request: Request, console: Console, rest: Callable[[float], None] = time.sleep
) -> int:
    """Show the traffic of a stack; returns the exit code: 1 if a service has no metrics.

    Args:
        project: the folder with the stack file.
        request: the options of the command.
        console: the terminal.
        rest: sleeps between two samples; Ctrl-C ends it.

    Raises:
        OperationError: the stack file has errors, or its cluster cannot be reached.
    """
    target = Target.of(project, request.stack, request.service)
    if request.watch:
        with suppress(KeyboardInterrupt):
            _watch(project, request, target, console, rest)
        return OK
    samples = target.sample(request.window)
    _print(request, samples, console)
    return NO_METRICS if any(each.why for each in samples) else OK


def _watch(
    project: Project, request: Request, target: Target, console: Console, rest: Callable[[float], None]
) -> None:
    """Sample repeatedly, with the current stack file: a canary writes its weights there."""
    in_place = console.is_terminal and not request.json
    with Live(console=console, auto_refresh=False) if in_place else nullcontext() as live:
        while True:
            target, error = _current(target, project, request)
            samples = target.sample(request.window)
            if live:
                live.update(Group(tables(samples, request.window), Text(error, style="red")), refresh=True)
            else:
                sys.stderr.write(error and f"{error}\n")
                _print(request, samples, console)
            rest(EVERY_SECONDS)


def _current(target: Target, project: Project, request: Request) -> tuple[Target, str]:
    """Read a stack file that has changed; on an error return the previous one, with the error."""
    with suppress(OSError):
        if project.stack_file(request.stack).read_text(encoding="utf-8") == target.text:
            return target, ""
    try:
        return Target.of(project, request.stack, request.service), ""
    except OperationError as error:
        return target, str(error)


def _print(request: Request, samples: list[Sample], console: Console) -> None:
    if request.json:
        document = as_document(request.stack, samples, time=time.time(), window=request.window)
        sys.stdout.write(as_json(document, indent=None if request.watch else 2))
        sys.stdout.flush()
    else:
        console.print(tables(samples, request.window))
