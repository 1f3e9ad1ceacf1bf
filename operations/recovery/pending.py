"""What an interrupted update left open in the state. Pure, but for one question."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from operations.adoption.import_state import State
from operations.kube.manifests import Manifest
from operations.pulumi_stack.stack import spelled

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
            then = "it is in the cluster, and the stack goes on with it if it is still declared"
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
