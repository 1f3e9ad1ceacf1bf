"""Live fields that `operations drift` ignores. No I/O, no Pulumi."""

from dataclasses import dataclass
from typing import Annotated, Final

from components.schema.constraints import Pattern

FieldPattern = Annotated[
    str,
    Pattern(
        pattern=r"(?:[A-Z][A-Za-z]*:)?[a-z][A-Za-z]*(?:\.[^\s.\[\]]+|\[[^\]\s]+\])*",
        description="the path of a field as `operations drift` prints it, with '*' for any text; with a kind "
        "and ':' before it for one kind of object, else for all",
        example='Namespace:metadata.annotations["example.com/*"]',
        longest=1024,
    ),
]

KUBERNETES_FIELDS: Final = (
    'metadata.annotations["kubectl.kubernetes.io/last-applied-configuration"]',
    'metadata.annotations["deployment.kubernetes.io/revision"]',
    'spec.template.metadata.annotations["kubectl.kubernetes.io/restartedAt"]',
    "spec.template.metadata.creationTimestamp",
    'Namespace:metadata.labels["kubernetes.io/metadata.name"]',
    "Service:spec.clusterIP",
    "Service:spec.clusterIPs",
    "Service:spec.ipFamilies",
    "Service:spec.healthCheckNodePort",
    "Deployment:spec.replicas",
    "Deployment:spec.template.spec.serviceAccount",
)
"""What the API server, its controllers and kubectl write in every cluster; always ignored."""

PLATFORM_FIELDS: Final = (
    'Namespace:metadata.labels["pod-security.kubernetes.io/*"]',
    'Namespace:metadata.*["*openshift.io/*"]',
    'Namespace:metadata.*["*cattle.io/*"]',
    "Namespace:metadata.finalizers[controller.cattle.io/*]",
    'metadata.annotations["autopilot.gke.io/*"]',
)
"""What OpenShift, Rancher and GKE Autopilot write, and Pod Security labels that a platform sets."""


@dataclass(frozen=True, kw_only=True)
class Drift:
    """The differences that `python -m operations drift` does not report."""

    ignore: tuple[FieldPattern, ...] = PLATFORM_FIELDS
    """Fields that other programs write: neither reported nor removed. A list here replaces the default.

    The syntax is that of Pulumi's `ignoreChanges`, for example `metadata.labels["example.com/team"]`, with
    `*` for any text; a field includes all below it. Only fields that the stack does not declare are ignored.
    """
