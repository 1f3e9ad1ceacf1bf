"""Says what a takeover would do, before it does anything."""

from collections.abc import Mapping, Sequence

from rich.console import Console

from operations.adoption.differences import Difference
from operations.adoption.plan import Plan
from operations.adoption.secrets import PlainSecrets
from operations.kube.cluster import spelled
from operations.kube.fields import flow
from operations.kube.manifests import Manifest


def show_differences(found: Sequence[Difference], console: Console) -> None:
    """Name every field that the stack file cannot express, or that the program writes otherwise.

    In lines, not in a table: a table cuts what is longer than its column, and here everything counts.
    """
    if not found:
        console.print("the program writes every field of the objects as they are kept by hand")
    lost = [each for each in found if each.is_lost]
    if lost:
        console.print(f"{len(lost)} fields that the stack cannot express go:")
    for each in lost:
        console.print(f"  {each.where}  {each.path}: {flow(each.value)}")
    if len(found) > len(lost):
        console.print(f"{len(found) - len(lost)} fields that the program writes otherwise:")
    for each in found:
        if not each.is_lost:
            console.print(f"  {each.where}  {each.path}: {flow(each.value)} → {flow(each.becomes)}")


def show_secrets(found: Sequence[PlainSecrets], file: str, context: str, console: Console) -> None:
    """Name the variables whose values were not written into the stack file, and the way to keep them."""
    for each in found:
        console.print(
            f"warning: {', '.join(each.names)} of {each.deployment} looks like a secret, and {file} is for "
            f"git: it names Secret {each.secret} instead. To create that from the live values, in bash:",
            soft_wrap=True,
        )
        console.print(f"  {each.command(context)}", soft_wrap=True)


def show_additions(found: Sequence[Difference], console: Console) -> None:
    """Name every field that the program adds to the pods; what several Deployments get, once."""
    owners: dict[str, list[str]] = {}
    for each in found:
        owners.setdefault(f"{each.path}: {flow(each.becomes)}", []).append(each.where)
    if owners:
        console.print(f"{len(owners)} fields that the program adds:")
    for field, names in owners.items():
        console.print(f"  {', '.join(names)}  {field}")


def show_plan(plan: Plan, console: Console) -> None:
    """Say what becomes of every object."""
    for description, objects in (
        ("taken over, changed in place", plan.taken),
        ("made new", plan.made),
        ("replaced, deleted at the end", plan.retired),
        ("left alone", plan.left),
    ):
        if objects:
            console.print(f"{description}: {_names(objects)}")
    for each in plan.taken:
        if each["kind"] == "Namespace":
            name = each["metadata"]["name"]
            console.print(f"the stack owns namespace {name} then: `pulumi destroy` deletes all that is in it")


def show_preview(changes: Mapping[str, Sequence[str]], console: Console) -> None:
    """Say what `pulumi up` changes, as Pulumi's own preview has it."""
    console.print("pulumi preview:" if changes else "pulumi preview: no change")
    for step, paths in changes.items():
        console.print(f"  {step}{': ' if paths else ''}{', '.join(paths)}")


def _names(objects: Sequence[Manifest]) -> str:
    return ", ".join(spelled(each) for each in objects)
