"""`python -m operations drift`, step by step."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from pulumi import automation as auto
from rich.console import Console

from operations.drift import output
from operations.drift.check import Observed, compare, sample
from operations.drift.findings import Report
from operations.drift.plan import Step, Verb, left, plan
from operations.drift.repair import Repairer
from operations.errors import OperationError
from operations.pulumi_stack import locks
from operations.pulumi_stack.lock_holders import lock_holders
from operations.pulumi_stack.project import Project
from operations.pulumi_stack.stack import PulumiStack, installed

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
    observed = sample(project, request.stack)
    report = compare(observed)
    _say(report, request, console)
    if report.clean or not request.fix:
        return CLEAN if report.clean else DRIFT
    _refuse_beside_an_update(project, observed)
    steps = plan(observed, report)
    _show(steps, report, console)
    if not steps:
        return DRIFT
    if not request.yes:
        if not confirm("Do it?"):
            console.print("nothing was changed")
            return DRIFT
        observed, report = _unchanged(project, observed, steps)
    return _fix(project, observed, report, console)


def _show(steps: Sequence[Step], report: Report, console: Console) -> None:
    if steps:
        console.print("to be done, in this order:")
    for step in steps:
        console.print(f"  {step}")
    if foreign := left(report, report.context):
        console.print("left as they are, since this stack did not make them; to delete one:")
    for line in foreign:
        console.print(f"  {line}", soft_wrap=True)


def _refuse_beside_an_update(project: Project, observed: Observed) -> None:
    """Stop where an update runs now, or was killed and left operations open."""
    if not observed.state.pending:
        return
    stack = observed.wanted.stack
    workspace = auto.LocalWorkspace(work_dir=str(project.folder), pulumi_command=installed())
    holders = lock_holders(workspace, project.name, stack)
    if not all(each.ended for each in holders):
        raise locks.locked(stack, holders)
    raise OperationError(
        f"an update of stack {stack} was interrupted and left pending operations; none runs now, and nothing "
        "was changed",
        evidence="\n".join(observed.state.pending),
        fix=f"python -m operations recover --stack {stack}",
    )


def _unchanged(project: Project, observed: Observed, shown: Sequence[Step]) -> tuple[Observed, Report]:
    """Check again after the answer: what is done then is what was shown before.

    Raises:
        OperationError: the stack file, the state or the cluster changed meanwhile.
    """
    now = sample(project, observed.wanted.stack)
    report = compare(now)
    steps = plan(now, report)
    if now.state.pending or list(map(_deed, steps)) != list(map(_deed, shown)):
        changes = "\n".join(f"  {step}" for step in steps)
        raise OperationError(
            f"stack {observed.wanted.stack} changed while the question was open; nothing was changed",
            evidence=f"to be done now:\n{changes}",
            fix="the same command again, which shows what is to be done now",
        )
    return now, report


def _deed(step: Step) -> tuple[object, ...]:
    """Say what a step does, to which object as it was declared and applied; a live one by its uid."""
    if step.stored is not None:
        return str(step), step.stored, step.manifest
    return str(step), step.manifest["metadata"].get("uid")


def _fix(project: Project, observed: Observed, report: Report, console: Console) -> int:
    def report_line(line: str) -> None:
        console.print(f"  {line}")

    mender = Repairer(observed.wanted.cluster, observed.stamps, report_line)
    updates = PulumiStack(project.folder, report.stack, report_line, wait=LOCK_SECONDS)
    shown = {str(each) for each in plan(observed, report) if each.verb is Verb.DELETE}
    for _ in range(PASSES):
        mender.do(
            [each for each in plan(observed, report) if each.verb is not Verb.DELETE or str(each) in shown]
        )
        updates.refresh(run_program=True)
        observed = sample(project, report.stack, observed.wanted)
        report = compare(observed)
        if all(each.is_foreign for each in report.findings):
            return _end(report, console)
    output.show(report, console)
    raise OperationError(
        f"{len(report.findings)} differences of stack {report.stack} came back each time they were put back",
        fix="the table says who writes them: stop that, then --fix again",
    )


def _end(report: Report, console: Console) -> int:
    if report.clean:
        console.print(f"stack {report.stack}: {report.compared} objects, all as declared again")
        return CLEAN
    console.print(
        f"stack {report.stack}: {report.compared} objects, all as declared again; {len(report.findings)} "
        "objects of others that touch it are left, listed above",
        soft_wrap=True,
    )
    return DRIFT


def _say(report: Report, request: Request, console: Console) -> None:
    if request.json:
        sys.stdout.write(output.as_json(report) + "\n")
    else:
        output.show(report, console)
