"""One custom resource of the mesh, as every component makes them: owned whole by the stack."""

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
    """Make the object once all of `after` is there, and let the engine run the hooks around it.

    `kept` says whether it may be deleted.

    Pulumi cannot change the API version of a custom resource later, not even by an alias (K#1668).
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
