"""The identity of a stack, which the program gives to every object that it declares."""

from collections.abc import Sequence
from typing import Final

from operations.kube.manifests import Manifest

LABEL: Final = "mesh-app/stack"
PULUMI: Final = "pulumi-kubernetes"
"""How all names of Pulumi's provider begin."""


def identity_of(declared: Sequence[Manifest]) -> str:
    """Read a stack's identity off what its program declares."""
    return str(declared[0]["metadata"]["labels"][LABEL])


def owner_of(live: Manifest) -> str | None:
    """Return the identity of the stack that made a live object; None where it carries none."""
    label: str | None = (live["metadata"].get("labels") or {}).get(LABEL)
    return label


def is_made_by(live: Manifest, identity: str) -> bool:
    """Tell whether the stack of an identity made a live object.

    A label alone may be a copy of the stack's own: Pulumi must have applied it, and no other object own it.
    """
    metadata = live["metadata"]
    applied = any(each["manager"].startswith(PULUMI) for each in metadata.get("managedFields") or ())
    return owner_of(live) == identity and applied and not metadata.get("ownerReferences")
