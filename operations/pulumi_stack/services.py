"""The services of a stack as its program declares them, with their versions and weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from operations.errors import OperationError
from operations.kube.manifests import Manifest, manifests
from operations.pulumi_stack.program import Declared


@dataclass(frozen=True, kw_only=True)
class MeshService:
    """One service and its versions, with the weights of the stack file."""

    name: str
    """The name of its Service, and the `app` label of its pods."""
    namespace: str
    weights: Mapping[str, int]
    """The weight of each declared version in percent, zeros included."""
    deployments: Mapping[str, str]
    """The Deployment of each version."""
    hosts: Mapping[str, str | None]
    """Each Kubernetes Service of it, with the version that it selects, or None if it selects all."""


def services_of(declared: Declared) -> tuple[MeshService, ...]:
    """List the services that a program declares, by name.

    Raises:
        OperationError: the program declares no service.
    """
    objects = manifests(declared.resources)
    deployments: dict[tuple[str, str], dict[str, str]] = {}
    for each in objects:
        if each["kind"] == "Deployment":
            labels = each["spec"]["selector"]["matchLabels"]
            place = (each["metadata"]["namespace"], labels.get("app", ""))
            deployments.setdefault(place, {})[labels.get("version", "")] = each["metadata"]["name"]
    weights = declared.outputs.get("weights")
    if not deployments or not isinstance(weights, dict):
        raise OperationError(
            "the program declares no service with weights",
            fix="run pulumi preview, and check that the stack has versions and exports their weights",
        )
    return tuple(
        MeshService(
            name=app,
            namespace=namespace,
            weights={version: _of(weights, app).get(version, 0) for version in versions},
            deployments=versions,
            hosts=_hosts(objects, namespace, app),
        )
        for (namespace, app), versions in sorted(deployments.items())
    )


def _of(weights: Mapping[str, Any], app: str) -> Mapping[str, int]:
    """Return the weights of a service from those of one service, or of several by name."""
    own = weights.get(app)
    return own if isinstance(own, dict) else weights


def _hosts(objects: Sequence[Manifest], namespace: str, app: str) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for each in objects:
        selector = each.get("spec", {}).get("selector") or {}
        is_here = each["kind"] == "Service" and each["metadata"]["namespace"] == namespace
        if is_here and selector.get("app") == app:
            found[each["metadata"]["name"]] = selector.get("version")
    return found
