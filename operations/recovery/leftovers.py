"""Objects that the stack made and that neither its state nor its stack file knows."""

from collections.abc import Sequence
from typing import Final

from operations.cluster import Cluster, same_object
from operations.drift.ownership import PULUMI
from operations.manifests import Manifest

NAME: Final = "app.kubernetes.io/name"
MANAGED: Final = {"app.kubernetes.io/managed-by": "pulumi"}
"""The labels by which the program marks whatever it makes for a service."""


def leftovers(declared: Sequence[Manifest], cluster: Cluster) -> list[Manifest]:
    """List what carries the marks of a declared service, was applied by Pulumi, and is not declared.

    Looked at are the kinds and namespaces that are declared. What Kubernetes makes of objects, as pods of
    Deployments, carries an owner and belongs to that.
    """
    kinds = sorted({(each["apiVersion"], each["kind"]) for each in declared})
    places = sorted({place for each in declared if (place := each["metadata"].get("namespace"))})
    names = {name for each in declared if (name := (each["metadata"].get("labels") or {}).get(NAME))}
    found = [
        each
        for place in places
        for api_version, kind in kinds
        for each in cluster.whole(api_version, kind, place, _selector())
    ]
    return [each for each in found if _is_made_here(each, names) and not _is_among(each, declared)]


def _selector() -> str:
    return ",".join(f"{key}={value}" for key, value in MANAGED.items())


def _is_made_here(live: Manifest, names: set[str]) -> bool:
    metadata = live["metadata"]
    applied = any(each["manager"].startswith(PULUMI) for each in metadata.get("managedFields") or ())
    named = (metadata.get("labels") or {}).get(NAME) in names
    return applied and named and not metadata.get("ownerReferences")


def _is_among(live: Manifest, declared: Sequence[Manifest]) -> bool:
    return any(same_object(live, each) for each in declared)
