"""What an interrupted update left open in the state, and how each is closed. Pure, but for one question."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from operations.adoption.state import State, live_id
from operations.manifests import Manifest
from operations.updates import spelled

CREATING: Final = "creating"

Find = Callable[[Manifest], Manifest | None]
"""Reads a live object."""


@dataclass(frozen=True, kw_only=True)
class Pending:
    """An operation of which Pulumi does not know whether it happened."""

    type: str
    """`creating`, `updating`, `deleting`, `reading` or `importing`."""
    resource: State
    exists: bool
    """Whether what was to be made is in the cluster, with the labels that it was to have."""

    @property
    def taken(self) -> bool:
        """Whether it happened, and the state has to learn of it."""
        return self.type == CREATING and self.exists

    def __str__(self) -> str:
        """As a person reads it."""
        if self.taken:
            then = "it is in the cluster, and the state takes it in"
        elif self.type == CREATING:
            then = "it is not in the cluster, and is made anew if it is still declared"
        else:
            then = "it is done again if it still has to be"
        return f"{self.type} {spelled(self.resource['urn'])} was interrupted: {then}"


def pending_operations(deployment: Mapping[str, Any], find: Find) -> list[Pending]:
    """List them, and look for what was being made."""
    return [
        Pending(
            type=each["type"],
            resource=each["resource"],
            exists=each["type"] == CREATING and _exists(each["resource"], find),
        )
        for each in deployment.get("pending_operations") or ()
    ]


def closed(deployment: Mapping[str, Any], pending: Sequence[Pending]) -> dict[str, Any]:
    """Take in what was made, and forget the rest: the next update does it again.

    What was applied belongs to the name in which Pulumi applied it, which stands in the inputs. Under another
    one, fields that are taken out of the stack file later would stay with the object.
    """
    known = {each["urn"] for each in deployment.get("resources") or () if not each.get("delete")}
    taken = [
        {**each.resource, "id": live_id(each.resource["inputs"]), "outputs": dict(each.resource["inputs"])}
        for each in pending
        if each.taken and each.resource["urn"] not in known
    ]
    resources = [*(deployment.get("resources") or ()), *taken]
    return {**deployment, "resources": resources, "pending_operations": []}


def _exists(resource: State, find: Find) -> bool:
    if not resource["type"].startswith("kubernetes:"):
        return False
    inputs = resource["inputs"]
    live = find(inputs)
    if live is None:
        return False
    labels = live["metadata"].get("labels") or {}
    declared = inputs["metadata"].get("labels") or {}
    return all(labels.get(key) == value for key, value in declared.items())
