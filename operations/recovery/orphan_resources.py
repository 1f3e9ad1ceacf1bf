"""Find objects that the stack created, and that are neither in its state nor declared."""

from collections.abc import Sequence

from components.model.stack_identity import LABEL
from operations.kube.cluster import Cluster, same_object
from operations.kube.manifests import Manifest
from operations.pulumi_stack.stack_identity import identity_of, is_made_by


def orphan_resources(
    declared: Sequence[Manifest], known: Sequence[Manifest], begun: Sequence[Manifest], cluster: Cluster
) -> list[Manifest]:
    """List objects with the stack's identity that Pulumi applied, and that are neither declared nor known.

    Objects with an owner, as pods of Deployments, are left to the owner.

    Args:
        declared: the objects of the stack file.
        known: the objects of the state, which `pulumi up` deletes itself if they are not declared.
        begun: objects that an interrupted update may have created.
        cluster: the cluster to search, in the kinds and namespaces of all these.
    """
    identity = identity_of(declared)
    return [
        each
        for each in marked([*declared, *known, *begun], identity, cluster)
        if is_made_by(each, identity) and not any(same_object(each, one) for one in [*declared, *known])
    ]


def marked(objects: Sequence[Manifest], identity: str, cluster: Cluster) -> list[Manifest]:
    """List the live objects with a stack's identity, in the kinds and namespaces of some objects."""
    kinds = sorted({(each["apiVersion"], each["kind"]) for each in objects})
    places = sorted({place for each in objects if (place := each["metadata"].get("namespace"))})
    return [
        each
        for place in places
        for api_version, kind in kinds
        for each in cluster.whole(api_version, kind, place, f"{LABEL}={identity}")
    ]
