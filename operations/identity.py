"""The identity of a stack, which the program gives to every object that it declares."""

from collections.abc import Sequence
from typing import Final

from operations.manifests import Manifest

LABEL: Final = "mesh-app/stack"


def identity_of(declared: Sequence[Manifest]) -> str:
    """Read a stack's identity off what its program declares."""
    return str(declared[0]["metadata"]["labels"][LABEL])


def owner_of(live: Manifest) -> str | None:
    """Return the identity of the stack that made a live object; None where it carries none."""
    label: str | None = (live["metadata"].get("labels") or {}).get(LABEL)
    return label
