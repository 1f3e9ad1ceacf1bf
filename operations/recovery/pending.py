"""Pending operations that an interrupted update left in the state."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from operations.adoption.import_state import State
from operations.kube.manifests import Manifest
from operations.pulumi_stack.stack import spelled

CREATING: Final = "creating"

Find = Callable[[Manifest], Manifest | None]
"""Reads a live object, with its field managers."""


@dataclass(frozen=True, kw_only=True)
class Pending:
    """An operation with an unknown outcome."""

    type: str
    """`creating`, `updating`, `deleting`, `reading` or `importing`."""
    resource: State
    made: Manifest | None = None
    """The object of a creation, if it is in the cluster with the declared labels."""

    def __str__(self) -> str:
        """Return the operation, the object and what is done about it."""
        if self.made:
            then = "the object exists, and stays if it is still declared"
        elif self.type == CREATING:
            then = "the object does not exist, and is created if it is still declared"
        else:
            then = "it is repeated if it is still needed"
        return f"{self.type} {spelled(self.resource['urn'])} was interrupted: {then}"


def pending_operations(deployment: Mapping[str, Any], find: Find) -> list[Pending]:
    """List the pending operations, with the objects that were being created."""
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
