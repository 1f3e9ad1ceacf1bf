"""Prints what a takeover would do, before it does anything."""

from collections.abc import Mapping, Sequence

from rich.console import Console

from operations.adoption.differences import Difference
from operations.adoption.plan import Plan
from operations.adoption.secrets import PlainSecrets
from operations.kube.cluster import spelled
from operations.kube.fields import flow
from operations.kube.manifests import Manifest


def show_differences(found: Sequence[Difference], console: Console) -> None:
    """Print the fields that the stack file cannot express, or that the program changes.

    In lines, because a table would truncate them.
    """
    if not found:
        console.print("the program writes every field of the existing objects")
    lost = [each for each in found if each.is_lost]
    if lost:
        console.print(f"{len(lost)} fields are lost, because the stack cannot express them:")
    for each in lost:
        console.print(f"  {each.where}  {each.path}: {flow(each.value)}")
    if len(found) > len(lost):
        console.print(f"{len(found) - len(lost)} fields that the program changes:")
    for each in found:
        if not each.is_lost:
            console.print(f"  {each.where}  {each.path}: {flow(each.value)} → {flow(each.becomes)}")


def show_secrets(found: Sequence[PlainSecrets], file: str, context: str, console: Console) -> None:
    """Print the variables that are not in the stack file, and the command that creates their Secret."""
    for each in found:
        console.print(
            f"warning: {', '.join(each.names)} of {each.deployment} may be a secret, and {file} is for "
            f"git: it names Secret {each.secret} instead. To create it from the live values, in bash:",
            soft_wrap=True,
        )
        console.print(f"  {each.command(context)}", soft_wrap=True)


def show_additions(found: Sequence[Difference], console: Console) -> None:
    """Print the fields that the program adds to the pods; equal ones of several Deployments once."""
    owners: dict[str, list[str]] = {}
    for each in found:
        owners.setdefault(f"{each.path}: {flow(each.becomes)}", []).append(each.where)
    if owners:
        console.print(f"{len(owners)} fields that the program adds:")
    for field, names in owners.items():
        console.print(f"  {', '.join(names)}  {field}")


def show_plan(plan: Plan, console: Console) -> None:
    """Print what happens to every object."""
    for description, objects in (
        ("taken over, changed in place", plan.taken),
        ("created", plan.made),
        ("replaced, deleted at the end", plan.retired),
        ("not changed", plan.left),
    ):
        if objects:
            console.print(f"{description}: {_names(objects)}")
    for each in plan.taken:
        if each["kind"] == "Namespace":
            name = each["metadata"]["name"]
            console.print(f"the stack will own namespace {name}: `pulumi destroy` deletes everything in it")


def show_preview(changes: Mapping[str, Sequence[str]], console: Console) -> None:
    """Print the changes of Pulumi's preview."""
    console.print("pulumi preview:" if changes else "pulumi preview: no change")
    for step, paths in changes.items():
        console.print(f"  {step}{': ' if paths else ''}{', '.join(paths)}")


def _names(objects: Sequence[Manifest]) -> str:
    return ", ".join(spelled(each) for each in objects)
