"""`python -m operations drift`, step by step."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from rich.console import Console

from operations.drift import told
from operations.drift.checking import Scene, compare, look
from operations.drift.findings import Report
from operations.drift.mending import Mender
from operations.drift.plan import plan
from operations.errors import OperationError
from operations.project import Project
from operations.updates import Updates

CLEAN: Final = 0
DRIFT: Final = 7
"""As `pulumi refresh --expect-no-changes` has it. 1 is for what could not be told."""
LOCK_SECONDS: Final = 60
"""How long another update may go on before Pulumi's state is told of what was put back."""
PASSES: Final = 3
"""What was put back may let more be seen: the pods of a Deployment whose selector somebody had changed."""

Confirm = Callable[[str], bool]


@dataclass(frozen=True, kw_only=True)
class Request:
    """What was asked for."""

    stack: str
    json: bool
    fix: bool
    yes: bool


def drift(project: Project, request: Request, console: Console, confirm: Confirm) -> int:
    """Check, say what was found, and with `fix` put it back; returns the exit code.

    Args:
        project: the folder with the stack file.
        request: what was asked for.
        console: for people.
        confirm: asks a person a question; raises OperationError where nobody is there.

    Raises:
        OperationError: it could not be told, or not put back.
    """
    scene = look(project, request.stack)
    report = compare(scene)
    _say(report, request, console)
    if report.clean or not request.fix:
        return CLEAN if report.clean else DRIFT
    steps = plan(scene, report)
    console.print("to be done, in this order:")
    for step in steps:
        console.print(f"  {step}")
    if not (request.yes or confirm("Do it?")):
        console.print("nothing was changed")
        return DRIFT
    return _fix(project, scene, report, console)


def _fix(project: Project, scene: Scene, report: Report, console: Console) -> int:
    def tell(line: str) -> None:
        console.print(f"  {line}")

    mender = Mender(scene.wanted.cluster, scene.stamps, tell)
    updates = Updates(project.folder, report.stack, tell, wait=LOCK_SECONDS)
    for _ in range(PASSES):
        mender.do(plan(scene, report))
        updates.refresh(run_program=True)
        scene = look(project, report.stack, scene.wanted)
        report = compare(scene)
        if report.clean:
            console.print(f"stack {report.stack}: {report.compared} objects, all as declared again")
            return CLEAN
    told.show(report, console)
    raise OperationError(
        f"{len(report.findings)} differences of stack {report.stack} came back each time they were put back",
        mend="the table says who writes them: stop that, then --fix again",
    )


def _say(report: Report, request: Request, console: Console) -> None:
    if request.json:
        sys.stdout.write(told.as_json(report) + "\n")
    else:
        told.show(report, console)
