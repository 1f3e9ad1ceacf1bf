"""Istio for a cluster without it: base, istiod and an ingress gateway, from Istio's own Helm charts."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.yaml.v2 import ConfigGroup

from mesh_platform.charts import ChartSource, Values, merged
from mesh_platform.jaeger import COLLECTOR, OTLP_PORT
from mesh_platform.mesh import SYSTEM, Mesh

GATEWAY = "istio-ingressgateway"

BASE: Values = {
    # istiod changes its webhook's failurePolicy to Fail once it is ready; with another start value that would
    # be reported as drift (pulumi-kubernetes#2210).
    "defaultRevision": "default",
    "base": {"validationFailurePolicy": "Fail"},
}
ISTIOD: Values = {
    "base": {"validationFailurePolicy": "Fail"},
    "meshConfig": {
        # Policies and routes match the decoded path, as an app sees it: `/api/..%2Fadmin` is `/admin`.
        "pathNormalization": {"normalization": "DECODE_AND_MERGE_SLASHES"},
        # An application that starts before its sidecar has no network.
        "defaultConfig": {"holdApplicationUntilProxyStarts": True},
        # The provider for traces, which a Telemetry resource enables: see the part `tracing`.
        "extensionProviders": [
            {
                "name": "jaeger",
                "opentelemetry": {"service": f"{COLLECTOR}.{SYSTEM}.svc.cluster.local", "port": OTLP_PORT},
            }
        ],
    },
}


@dataclass(frozen=True, kw_only=True)
class Istio(ChartSource):
    """The key `istio`."""

    gateway_api: str = ""
    """Folder with the CRDs of the Kubernetes Gateway API, for a cluster without them."""
    node_ports: Mapping[str, int] = field(default_factory=lambda: {"http": 31380, "https": 31390})
    """NodePorts of the ingress gateway, http and https; 30000 to 32767."""
    values: Mapping[str, Values] = field(default_factory=dict)
    """Further Helm values for each chart: base, istiod, gateway."""


def install(wanted: Istio, mesh: Mesh) -> Mesh:
    """Install Istio and its namespace; return the mesh with that namespace."""
    namespace = kubernetes.core.v1.Namespace(SYSTEM, metadata={"name": SYSTEM}, opts=mesh.options())
    mesh = dataclasses.replace(mesh, namespace=namespace.metadata["name"])

    def values(chart: str, own: Values) -> Values:
        return merged(own, wanted.values.get(chart, {}))

    base = wanted.chart("base", release="base", values=values("base", BASE), mesh=mesh)
    gateway_api = ConfigGroup(
        "gateway-api",
        files=[f"{wanted.gateway_api}/*.yaml"] if wanted.gateway_api else [],
        opts=mesh.options(),
    )
    # istiod only supports the kinds that exist when it starts.
    istiod = wanted.chart(
        "istiod",
        release="istiod",
        values=values("istiod", ISTIOD),
        mesh=mesh,
        after=[base, gateway_api],
    )
    wanted.chart(
        "gateway",
        release=GATEWAY,
        values=values("gateway", _gateway(wanted.node_ports)),
        mesh=mesh,
        after=[istiod],
    )
    pulumi.export("namespace", mesh.namespace)
    pulumi.export("ingressService", f"{SYSTEM}/{GATEWAY}")
    pulumi.export("nodePorts", wanted.node_ports)
    return mesh


def _gateway(node_ports: Mapping[str, int]) -> Values:
    return {
        "name": GATEWAY,
        "labels": {"istio": "ingressgateway"},
        "service": {
            "type": "NodePort",
            "ports": [
                {"name": "status-port", "port": 15021, "targetPort": 15021},
                {"name": "http2", "port": 80, "targetPort": 80, "nodePort": node_ports["http"]},
                {"name": "https", "port": 443, "targetPort": 443, "nodePort": node_ports["https"]},
            ],
        },
    }
