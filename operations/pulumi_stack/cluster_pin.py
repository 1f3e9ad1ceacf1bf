"""The cluster that a stack means, and no other."""

from collections.abc import Sequence
from typing import Final

from operations.errors import OperationError
from operations.kube.cluster import Cluster
from operations.kube.manifests import Manifest
from operations.pulumi_stack.recorder import Resource

PROVIDER: Final = "pulumi:providers:kubernetes"
PIN: Final = "mesh:index:ClusterPin"
WITNESS: Final[Manifest] = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kube-system"}}


def meant_cluster(resources: Sequence[Resource]) -> Cluster:
    """Reach the cluster to which a program's provider leads, once it is the one that the stack is pinned to.

    Raises:
        OperationError: the program has no provider with a context, the cluster does not answer, or it is
            another one.
    """
    contexts = {each.inputs.get("context") for each in resources if each.type == PROVIDER} - {None}
    if len(contexts) != 1:
        raise OperationError(
            f"the program names {len(contexts)} kubeconfig contexts; there must be one to know its cluster",
            fix="pulumi config set kubernetes:context NAME",
        )
    cluster = Cluster(str(contexts.pop()))
    for each in resources:
        if each.type == PIN:
            _check(cluster, str(each.inputs["uid"]))
    return cluster


def _check(cluster: Cluster, pinned: str) -> None:
    witness = cluster.read(WITNESS)
    found = witness["metadata"]["uid"] if witness else "none"
    if found != pinned:
        raise OperationError(
            f"the stack is pinned to the cluster whose namespace kube-system has the uid {pinned}, and "
            f"context {cluster.context} leads to the one with {found}; nothing was changed",
            fix="name the context of the right cluster: pulumi config set kubernetes:context NAME; or, if "
            f"this is the right one: pulumi config set --path 'mesh-app:clusterUid' {found}",
        )
