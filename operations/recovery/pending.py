"""What an interrupted update left open in the state, and how each is closed. Pure, but for one question."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from operations.adoption.state import State, live_id
from operations.drift.ownership import Ownership
from operations.drift.state import MANAGER
from operations.manifests import Manifest
from operations.updates import spelled

CREATING: Final = "creating"

Find = Callable[[Manifest], Manifest | None]
"""Reads a live object, with the notes of who wrote it."""


@dataclass(frozen=True, kw_only=True)
class Pending:
    """An operation of which Pulumi does not know whether it happened."""

    type: str
    """`creating`, `updating`, `deleting`, `reading` or `importing`."""
    resource: State
    made: Manifest | None = None
    """What was to be made, where it is in the cluster with the labels that it was to have."""

    def __str__(self) -> str:
        """As a person reads it."""
        if self.made:
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
            made=_made(each["resource"], find) if each["type"] == CREATING else None,
        )
        for each in deployment.get("pending_operations") or ()
    ]


def closed(deployment: Mapping[str, Any], pending: Sequence[Pending]) -> dict[str, Any]:
    """Take in what was made, and forget the rest: the next update does it again."""
    known = {each["urn"] for each in deployment.get("resources") or () if not each.get("delete")}
    taken = [
        {
            **each.resource,
            "id": live_id(each.resource["inputs"]),
            "outputs": _outputs(each.resource, each.made),
        }
        for each in pending
        if each.made and each.resource["urn"] not in known
    ]
    resources = [*(deployment.get("resources") or ()), *taken]
    return {**deployment, "resources": resources, "pending_operations": []}


def _outputs(resource: State, made: Manifest) -> State:
    """Write what the provider would have: what was applied belongs to the name in which it was.

    That name is made up as the provider makes the object, and not in the inputs. Under another one, fields
    that are taken out of the stack file later would stay with the object.
    """
    applied = Ownership.of(made).applied(None)
    return {**resource["inputs"], **({MANAGER: applied.writer.manager} if applied else {})}


def _made(resource: State, find: Find) -> Manifest | None:
    if not resource["type"].startswith("kubernetes:"):
        return None
    inputs = resource["inputs"]
    live = find(inputs)
    if live is None:
        return None
    labels = live["metadata"].get("labels") or {}
    declared = inputs["metadata"].get("labels") or {}
    return live if all(labels.get(key) == value for key, value in declared.items()) else None
