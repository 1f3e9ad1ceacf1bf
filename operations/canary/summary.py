"""Says what a canary would do, before it does anything."""

from collections.abc import Sequence

from rich.console import Console

from operations.canary.durations import clock
from operations.canary.fixed_routes import FixedRoute
from operations.canary.plan import Plan
from operations.canary.preview import StepPreviews
from operations.pulumi_stack.stack import Change


def show_plan(plan: Plan, stages: StepPreviews, first: int, console: Console) -> None:
    """Print every step with what it changes, field by field, and what is judged."""
    for nth, changes in enumerate(stages.changes_from(first), start=first):
        step = plan.steps[nth]
        pause = ", then waits for --resume" if step.pause else ""
        console.print(f"  {nth + 1}/{len(plan.steps)}  {step}, watched for {clock(step.hold)}{pause}")
        for change in changes:
            console.print(f"         {change}")
    console.print(
        f"judged every {clock(plan.interval)} by at least {plan.min_requests} requests; bad looks allowed: "
        f"{plan.allowed_failures}; without data: {plan.no_data}; split at {plan.confidence:g} % confidence"
    )
    if plan.warm_up:
        console.print(f"new pods warm up for {clock(plan.warm_up)} before they are judged")
    for check in plan.checks:
        console.print(f"  {check}")
    for hook in plan.hooks:
        console.print(f"  hook {hook.when}: {hook}")
    window = f"{clock(plan.rollback_window)} to go back, then " if plan.rollback_window else ""
    console.print(f"in the end: {window}the old {'goes' if plan.remove_old else 'stays with weight 0'}")


def show_fixed(fixed: Sequence[FixedRoute], console: Console) -> None:
    """Print the routes that the canary does not move."""
    if fixed:
        console.print("routes with a `to` of their own do not follow the weights, and no step moves them:")
    for each in fixed:
        console.print(f"  {each}")


def show_pending(changes: Sequence[Change], console: Console) -> None:
    """Print what the stack file says that was not deployed yet."""
    if changes:
        console.print(
            "first, with the weights as they are, what the stack file says and nobody deployed yet:"
        )
    for each in changes:
        console.print(f"  {each}{': ' if each.fields else ''}{', '.join(each.fields)}")
