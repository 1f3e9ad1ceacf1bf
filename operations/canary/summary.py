"""Prints the plan of a canary before it begins."""

from collections.abc import Sequence

from rich.console import Console

from operations.canary.fixed_routes import FixedRoute
from operations.canary.plan import Plan
from operations.canary.preview import StepPreviews
from operations.canary.terminal.text import clock
from operations.pulumi_stack.stack import Change


def show_plan(plan: Plan, stages: StepPreviews, first: int, console: Console) -> None:
    """Print every step with its changes, field by field, and the checks."""
    for nth, changes in enumerate(stages.changes_from(first), start=first):
        step = plan.steps[nth]
        pause = ", then waits for --resume" if step.pause else ""
        console.print(f"  {nth + 1}/{len(plan.steps)}  {step}, analysed for {clock(step.hold)}{pause}")
        for change in changes:
            console.print(f"         {change}")
    console.print(
        f"sampled every {clock(plan.interval)} of {plan.min_requests} requests or more; bad samples allowed: "
        f"{plan.allowed_failures}; without data: {plan.no_data}; confidence {plan.confidence:g} %"
    )
    if plan.warm_up:
        console.print(f"new pods warm up for {clock(plan.warm_up)} before they are judged")
    for check in plan.checks:
        console.print(f"  {check}")
    for hook in plan.hooks:
        console.print(f"  hook {hook.when}: {hook}")
    window = (
        f"{clock(plan.rollback_window)} of analysis with all the traffic, then "
        if plan.rollback_window
        else ""
    )
    console.print(
        f"at the end: {window}the old version {'is removed' if plan.remove_old else 'stays with weight 0'}"
    )


def show_fixed(fixed: Sequence[FixedRoute], console: Console) -> None:
    """Print the routes that the canary does not change."""
    if fixed:
        console.print("routes with their own `to` do not follow the weights, and no step changes them:")
    for each in fixed:
        console.print(f"  {each}")


def show_pending(changes: Sequence[Change], console: Console) -> None:
    """Print the changes of the stack file that are not deployed yet."""
    if changes:
        console.print("deployed first, with the weights unchanged: the pending changes of the stack file")
    for each in changes:
        console.print(f"  {each}{': ' if each.fields else ''}{', '.join(each.fields)}")
