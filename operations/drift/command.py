"""Run `python -m operations drift`: check, print, and with `--fix` confirm and repair."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from pulumi import automation as auto
from rich.console import Console

from operations.drift import output
from operations.drift.check import Observed, compare, observe
from operations.drift.findings import Report
from operations.drift.plan import Step, Verb, foreign_objects, plan
from operations.drift.repair import Repairer
from operations.errors import OperationError
from operations.pulumi_stack import locks
from operations.pulumi_stack.lock_holders import lock_holders
from operations.pulumi_stack.project import Project
from operations.pulumi_stack.stack import PulumiStack, installed

CLEAN: Final = 0
DRIFT: Final = 7
"""As in `pulumi refresh --expect-no-changes`. 1 means that the check failed."""
LOCK_SECONDS: Final = 60
"""How long to wait for another update before Pulumi's state is refreshed."""
PASSES: Final = 3
"""A repair may reveal more drift, such as the pods of a Deployment whose selector was changed."""

Confirm = Callable[[str], bool]


@dataclass(frozen=True, kw_only=True)
class Request:
    """The arguments of the command."""

    stack: str
    json: bool
    fix: bool
    yes: bool


def drift(project: Project, request: Request, console: Console, confirm: Confirm) -> int:
    """Check a stack and print the report; with `fix` repair it. Returns the exit code.

    Args:
        project: the folder with the stack file.
        request: the arguments.
        console: for the user.
        confirm: asks the user a question; raises OperationError without a terminal.

    Raises:
        OperationError: the check or the repair failed.
    """
    observed = observe(project, request.stack)
    report = compare(observed)
    if request.json:
        sys.stdout.write(output.as_json(report) + "\n")
    else:
        output.show(report, console)
    if report.clean or not request.fix:
        return CLEAN if report.clean else DRIFT
    _refuse_during_update(project, observed)
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
        console.print("planned changes, in this order:")
    for step in steps:
        console.print(f"  {step}")
    if lines := foreign_objects(report):
        console.print("not changed, because this stack did not create them; to delete one:")
    for line in lines:
        console.print(f"  {line}", soft_wrap=True)


def _refuse_during_update(project: Project, observed: Observed) -> None:
    """Raise an error if an update is running, or was killed and left pending operations."""
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
    """Check again after the confirmation: only the planned changes that were shown are carried out.

    Raises:
        OperationError: the stack file, the state or the cluster has changed meanwhile.
    """
    now = observe(project, observed.wanted.stack)
    report = compare(now)
    steps = plan(now, report)
    if now.state.pending or list(map(_key, steps)) != list(map(_key, shown)):
        changes = "\n".join(f"  {step}" for step in steps)
        raise OperationError(
            f"stack {observed.wanted.stack} changed while the question was open; nothing was changed",
            evidence=f"planned changes now:\n{changes}",
            fix="run the same command again: it shows the new plan",
        )
    return now, report


def _key(step: Step) -> tuple[object, ...]:
    """Return what identifies a step: the declared and applied object, or the uid of a live one."""
    if step.stored is not None:
        return str(step), step.stored, step.manifest
    return str(step), step.manifest["metadata"].get("uid")


def _fix(project: Project, observed: Observed, report: Report, console: Console) -> int:
    def report_line(line: str) -> None:
        console.print(f"  {line}", soft_wrap=True)

    repairer = Repairer(observed.wanted, report_line)
    updates = PulumiStack(project.folder, report.stack, report_line, wait=LOCK_SECONDS)
    shown = {str(each) for each in plan(observed, report) if each.verb is Verb.DELETE}
    for _ in range(PASSES):
        steps = plan(observed, report)
        repairer.do([each for each in steps if each.verb is not Verb.DELETE or str(each) in shown])
        updates.refresh(run_program=True)
        observed = observe(project, report.stack, observed.wanted)
        report = compare(observed)
        if all(each.is_foreign for each in report.findings):
            return _end(report, console)
    output.show(report, console)
    raise OperationError(
        f"{len(report.findings)} differences of stack {report.stack} reappeared after each repair",
        fix="stop the managers that the table shows under `written by`, then --fix again",
    )


def _end(report: Report, console: Console) -> int:
    end = f"; {len(report.findings)} unmanaged objects affect it, listed above" if report.findings else ""
    console.print(
        f"stack {report.stack}: {report.compared} objects, all as declared again{end}", soft_wrap=True
    )
    return CLEAN if report.clean else DRIFT
