"""Rules about callers inside the mesh."""

from collections.abc import Iterator

from components.model.stack import Stack
from components.schema.issues import Issue, Path, assign
from components.schema.messages import AMBIENT_CALLERS


def weights_have_a_proxy(stack: Stack, at: Path) -> Iterator[Issue]:
    """In ambient namespaces no proxy of a caller inspects requests."""
    if stack.namespace.injection != "ambient":
        return
    sidecars = assign(at / "namespace" / "injection", "enabled")
    for place, service in stack.placed.items():
        if service.mesh:
            here = place / "mesh"
            gateway = assign(here, value=False)
            fix = f"{sidecars}; or, for the gateway alone: {gateway}"
            yield AMBIENT_CALLERS.at(here, service.mesh, fix=fix)
