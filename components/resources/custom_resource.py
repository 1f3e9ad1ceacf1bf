"""Creates a custom resource of Istio or the Gateway API, with the labels of the stack."""

from collections.abc import Sequence

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource

from components.manifests.labels import OWNED, labels
from components.manifests.route_match import Spec
from components.model.service import App


def mesh_object(
    api_version: str,
    kind: str,
    name: str,
    spec: pulumi.Input[Spec],
    *,
    app: App,
    namespace: str,
    parent: pulumi.Resource,
    after: Sequence[pulumi.Resource],
    hooks: pulumi.ResourceHookBinding | None = None,
    kept: pulumi.ResourceOptions | None = None,
) -> CustomResource:
    """Create the object after the resources in `after`, with hooks, and with the options of `Protection`.

    Pulumi cannot change the API version of a custom resource later, not even by an alias
    (pulumi-kubernetes#1668).
    """
    return CustomResource(
        name,
        api_version=api_version,
        kind=kind,
        metadata={
            "name": name,
            "namespace": namespace,
            "labels": labels(app),
            "annotations": OWNED,
        },
        spec=spec,
        opts=pulumi.ResourceOptions(parent=parent, depends_on=list(after), hooks=hooks).merge(kept),
    )
