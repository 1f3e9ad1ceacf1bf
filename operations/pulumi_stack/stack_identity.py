"""Compare live objects with the identity of a stack, a label of all its objects."""

from collections.abc import Sequence
from typing import Final

from components.model.stack_identity import LABEL, owner_of
from operations.kube.manifests import Manifest

PULUMI: Final = "pulumi-kubernetes"
"""Prefix of the field managers of Pulumi's provider."""


def identity_of(declared: Sequence[Manifest]) -> str:
    """Return the identity of the stack that declares some objects."""
    return str(declared[0]["metadata"]["labels"][LABEL])


def is_made_by(live: Manifest, identity: str) -> bool:
    """Return whether the stack of an identity created a live object.

    The label may have been copied with the object: Pulumi must have applied it, and no object may own it.
    """
    metadata = live["metadata"]
    applied = any(each["manager"].startswith(PULUMI) for each in metadata.get("managedFields") or ())
    return owner_of(live) == identity and applied and not metadata.get("ownerReferences")
