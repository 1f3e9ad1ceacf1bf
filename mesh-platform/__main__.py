"""Istio for a cluster that has none: base, istiod and an ingress gateway, from Istio's own Helm charts."""

from collections.abc import Mapping

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.helm.v4 import Chart, RepositoryOptsArgs
from pulumi_kubernetes.yaml.v2 import ConfigGroup

SYSTEM = "istio-system"
GATEWAY = "istio-ingressgateway"

DEFAULTS: dict[str, dict[str, object]] = {
    # istiod opens its webhook itself once it serves; begun closed, that flip would be seen as
    # drift forever (pulumi-kubernetes#2210).
    "base": {"defaultRevision": "default", "base": {"validationFailurePolicy": "Fail"}},
    "istiod": {
        "base": {"validationFailurePolicy": "Fail"},
        # An application that starts before its sidecar has no network yet.
        "meshConfig": {"defaultConfig": {"holdApplicationUntilProxyStarts": True}},
    },
    "gateway": {"name": GATEWAY, "labels": {"istio": "ingressgateway"}},
}

config = pulumi.Config()
values = config.get_object("values") or {}
node_ports = config.require_object("nodePorts")
gateway_api_folder = config.get("gatewayApiFolder")
folder, repository = config.get("chartFolder"), config.get("chartRepository")
if bool(folder) == bool(repository):
    raise pulumi.RunError(
        "mesh-platform: set exactly one of chartFolder and chartRepository, "
        "for example `pulumi config set chartRepository URL` and `pulumi config set chartVersion 1.31.0`"
    )

DEFAULTS["gateway"]["service"] = {
    "type": "NodePort",
    "ports": [
        {"name": "status-port", "port": 15021, "targetPort": 15021},
        {"name": "http2", "port": 80, "targetPort": 80, "nodePort": node_ports["http"]},
        {"name": "https", "port": 443, "targetPort": 443, "nodePort": node_ports["https"]},
    ],
}

provider = kubernetes.Provider("cluster", context=pulumi.Config("kubernetes").get("context"))
namespace = kubernetes.core.v1.Namespace(
    SYSTEM, metadata={"name": SYSTEM}, opts=pulumi.ResourceOptions(provider=provider)
)


def merged(base: Mapping[str, object], over: Mapping[str, object]) -> dict[str, object]:
    """Helm values laid over others, key by key, as Helm itself does."""
    result = dict(base)
    for key, value in over.items():
        below = result.get(key)
        deeper = isinstance(below, Mapping) and isinstance(value, Mapping)
        result[key] = merged(below, value) if deeper else value  # type: ignore[arg-type]  # both are mappings
    return result


def chart(name: str, release: str, after: list[pulumi.Resource]) -> Chart:
    """One of Istio's charts in the system namespace."""
    return Chart(
        name,
        name=release,
        chart=f"{folder}/{name}" if folder else name,
        version=config.get("chartVersion") or None,
        repository_opts=RepositoryOptsArgs(repo=repository) if repository else None,
        namespace=namespace.metadata["name"],
        values=merged(DEFAULTS[name], values.get(name, {})),
        opts=pulumi.ResourceOptions(provider=provider, depends_on=after),
    )


base = chart("base", "base", [])
gateway_api = ConfigGroup(
    "gateway-api",
    files=[f"{gateway_api_folder}/*.yaml"] if gateway_api_folder else [],
    opts=pulumi.ResourceOptions(provider=provider),
)
# istiod serves the kinds that it finds when it starts.
istiod = chart("istiod", "istiod", [base, gateway_api])
gateway = chart("gateway", GATEWAY, [istiod])

pulumi.export("namespace", namespace.metadata["name"])
pulumi.export("ingressService", f"{SYSTEM}/{GATEWAY}")
pulumi.export("nodePorts", node_ports)
