"""Names in which Pulumi's provider applied an object, and died before it could say so.

Each provider makes up a name when it makes an object. The update after it makes the object again in a name of
its own, and shares every field with the first: one that is taken out of the stack file later would stay.
"""

from operations.drift.field_ownership import APPLY, Ownership
from operations.kube.manifests import Manifest
from operations.pulumi_stack.stack_identity import PULUMI


def former_names(live: Manifest, own: str) -> list[str]:
    """List the names of Pulumi's in which a live object was applied, but for the one that the state knows."""
    writers = [owner.writer for owner in Ownership.of(live).owners]
    return [
        each.manager
        for each in writers
        if each.operation == APPLY and each.manager.startswith(PULUMI) and each.manager != own
    ]


def nothing_of(manifest: Manifest) -> Manifest:
    """Declare no field of an object: whoever applies that lets go of all that it had applied."""
    metadata = {key: value for key, value in manifest["metadata"].items() if key in ("name", "namespace")}
    return {"apiVersion": manifest["apiVersion"], "kind": manifest["kind"], "metadata": metadata}
