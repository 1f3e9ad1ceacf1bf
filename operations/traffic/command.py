"""`python -m operations traffic`: one look, or one every two seconds."""

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
from operations.traffic.snapshot import Sample, Scenery

SEEN, NO_FIGURES = 0, 1
EVERY_SECONDS: Final = 2.0


@dataclass(frozen=True, kw_only=True)
class Request:
    """What was asked for."""

    stack: str
    service: str | None = None
    """One of several; all where absent."""
    window: float = 60.0
    """Seconds that the figures are of."""
    watch: bool = False
    json: bool = False


def traffic(
    project: Project, request: Request, console: Console, rest: Callable[[float], None] = time.sleep
) -> int:
    """Show what the mesh does; returns the exit code: 1 where a service has no figures.

    Args:
        project: the folder with the stack file.
        request: what was asked for.
        console: for people.
        rest: lets time go by between two looks; Ctrl-C ends it.

    Raises:
        OperationError: the stack file has faults, or it leads to no cluster.
    """
    scenery = Scenery.of(project, request.stack, request.service)
    if request.watch:
        with suppress(KeyboardInterrupt):
            _watch(project, request, scenery, console, rest)
        return SEEN
    samples = scenery.sample(request.window)
    _say(request, samples, console)
    return NO_FIGURES if any(each.why for each in samples) else SEEN


def _watch(
    project: Project, request: Request, scenery: Scenery, console: Console, rest: Callable[[float], None]
) -> None:
    """Look again and again, by the stack file as it is then: a canary writes its weights there."""
    in_place = console.is_terminal and not request.json
    with Live(console=console, auto_refresh=False) if in_place else nullcontext() as live:
        while True:
            scenery, fault = _current(scenery, project, request)
            samples = scenery.sample(request.window)
            if live:
                told = Text(fault, style="red")
                live.update(Group(tables(samples, request.window), told), refresh=True)
            else:
                sys.stderr.write(fault and f"{fault}\n")
                _say(request, samples, console)
            rest(EVERY_SECONDS)


def _current(scenery: Scenery, project: Project, request: Request) -> tuple[Scenery, str]:
    """Learn what the stack file says where it changed; one that is being written is told, and left."""
    with suppress(OSError):
        if project.stack_file(request.stack).read_text(encoding="utf-8") == scenery.text:
            return scenery, ""
    try:
        return Scenery.of(project, request.stack, request.service), ""
    except OperationError as error:
        return scenery, str(error)


def _say(request: Request, samples: list[Sample], console: Console) -> None:
    if request.json:
        document = as_document(request.stack, samples, time=time.time(), window=request.window)
        sys.stdout.write(as_json(document, indent=None if request.watch else 2))
        sys.stdout.flush()
    else:
        console.print(tables(samples, request.window))
