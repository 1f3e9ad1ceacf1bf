"""Writes the state of a stack whose objects already exist.

`pulumi import` is not used, because (Pulumi 3.246) it needs the provider in the state first, and an update of
the provider alone leaves a state that Pulumi then rejects; and it takes every field of a live object for an
input, so that the first preview is full of Kubernetes' defaults. Here the inputs are the program's: a refresh
reads the live fields, and a preview shows the differences.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import uuid4

from operations.kube.manifests import in_order, is_applied
from operations.pulumi_stack.recorder import STACK, Resource

State = dict[str, Any]
"""A resource in the format of `pulumi stack export`."""

PROVIDER = "pulumi:providers:"


def merge(
    exported: Sequence[State], resources: Sequence[Resource], existing: set[str], root: str
) -> list[State]:
    """Add to a stack's resources those that exist in the cluster, with their parents.

    Args:
        exported: the stack's resources, which do not change.
        resources: the declared resources.
        existing: the URNs of those that exist in the cluster.
        root: the URN of the stack itself.
    """
    known = {state["urn"]: state for state in exported}
    needed = existing | set(_above(resources, existing))
    merged = dict(known) or {root: {"urn": root, "custom": False, "type": STACK}}
    for each in sorted(in_order(resources), key=_rank):
        is_provider = each.type.startswith(PROVIDER)
        if each.urn not in merged and (is_provider or each.urn in needed):
            merged[each.urn] = _provider(each, root) if is_provider else _state(each, merged)
    return list(merged.values())


def live_id(inputs: Mapping[str, Any]) -> str:
    """Return an object's id, as Pulumi's Kubernetes provider writes it."""
    metadata = inputs["metadata"]
    return "/".join(filter(None, (metadata.get("namespace"), metadata["name"])))


def _above(resources: Sequence[Resource], urns: set[str]) -> Iterator[str]:
    parents = {each.urn: each.parent for each in resources}
    for urn in urns:
        while (urn := parents.get(urn, "")) in parents:
            yield urn


def _rank(resource: Resource) -> tuple[bool, bool, int]:
    """Order providers first, then components from the outside in, then objects by their dependencies."""
    # Sorting is stable: equal ranks stay in the order of `in_order`.
    is_provider = resource.type.startswith(PROVIDER)
    return not is_provider, resource.custom, resource.urn.split("::")[2].count("$")


def _provider(resource: Resource, root: str) -> State:
    inputs = {**resource.inputs, **({"version": resource.version} if resource.version else {})}
    return {
        "urn": resource.urn,
        "custom": True,
        "id": str(uuid4()),
        "type": resource.type,
        "inputs": inputs,
        "outputs": inputs,
        "parent": root,
    }


def _state(resource: Resource, merged: Mapping[str, State]) -> State:
    state = {"urn": resource.urn, "custom": resource.custom, "type": resource.type, "parent": resource.parent}
    if not is_applied(resource):
        return {**state, "inputs": dict(resource.inputs)}
    provider = next(each for urn, each in merged.items() if each["type"].startswith(PROVIDER))
    return {
        **state,
        "id": live_id(resource.inputs),
        "inputs": dict(resource.inputs),
        "outputs": {},
        "provider": f"{provider['urn']}::{provider['id']}",
        "dependencies": sorted(urn for urn in resource.dependencies if urn in merged),
    }
