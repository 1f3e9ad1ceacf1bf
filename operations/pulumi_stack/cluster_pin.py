"""Check that a stack's kubeconfig context leads to the cluster that the stack is pinned to."""

from collections.abc import Sequence
from typing import Final

from operations.errors import OperationError
from operations.kube.cluster import Cluster
from operations.kube.manifests import Manifest
from operations.pulumi_stack.recorder import Resource

PROVIDER: Final = "pulumi:providers:kubernetes"
PIN: Final = "mesh:index:ClusterPin"
REFERENCE: Final[Manifest] = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kube-system"}}


def meant_cluster(resources: Sequence[Resource]) -> Cluster:
    """Return the cluster of a program's provider, if it is the one that the stack is pinned to.

    Raises:
        OperationError: the program has no provider with a context, or the cluster does not answer or is
            another one.
    """
    contexts = {each.inputs.get("context") for each in resources if each.type == PROVIDER} - {None}
    if len(contexts) != 1:
        raise OperationError(
            f"the program uses {len(contexts)} kubeconfig contexts; it must use exactly one",
            fix="pulumi config set kubernetes:context NAME",
        )
    cluster = Cluster(str(contexts.pop()))
    for each in resources:
        if each.type == PIN:
            _check(cluster, str(each.inputs["uid"]))
    return cluster


def _check(cluster: Cluster, pinned: str) -> None:
    reference = cluster.read(REFERENCE)
    found = reference["metadata"]["uid"] if reference else "none"
    if found != pinned:
        raise OperationError(
            f"the stack is pinned to the cluster whose namespace kube-system has the uid {pinned}, and "
            f"context {cluster.context} leads to the one with {found}; nothing was changed",
            fix="name the context of the right cluster: pulumi config set kubernetes:context NAME; or, if "
            f"this is the right one: pulumi config set --path 'mesh-app:clusterUid' {found}",
        )
