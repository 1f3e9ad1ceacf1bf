"""Field managers of providers that were killed before they could report their name to the state.

A provider chooses a new name when it creates an object. The next update applies the object with another name,
and both own every field: one that is later removed from the stack file would remain.
"""

from operations.drift.field_ownership import APPLY, Ownership
from operations.kube.manifests import Manifest
from operations.pulumi_stack.stack_identity import PULUMI


def former_names(live: Manifest, own: str) -> list[str]:
    """List Pulumi's field managers of a live object, except the one in the state."""
    writers = [owner.writer for owner in Ownership.of(live).owners]
    return [
        each.manager
        for each in writers
        if each.operation == APPLY and each.manager.startswith(PULUMI) and each.manager != own
    ]


def nothing_of(manifest: Manifest) -> Manifest:
    """Return the object without fields: a manager that applies it releases all fields that it owned."""
    metadata = {key: value for key, value in manifest["metadata"].items() if key in ("name", "namespace")}
    return {"apiVersion": manifest["apiVersion"], "kind": manifest["kind"], "metadata": metadata}
