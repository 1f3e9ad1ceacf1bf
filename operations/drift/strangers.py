"""Objects that nobody declared and that touch a stack's hosts or pods: each kind with its rule. Pure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from operations.drift.reach import MESH, Reach, hosts_of, overlap, ways_of
from operations.manifests import Manifest

ROOT: Final = "istio-system"
"""Istio's root namespace, unless told otherwise: what selects pods there selects them everywhere."""

Rule = Callable[[Manifest, Reach], str | None]
"""Says what an object touches, in words; None where it does not."""


@dataclass(frozen=True, kw_only=True)
class Watched:
    """A kind whose objects may touch a stack."""

    api_version: str
    kind: str
    rule: Rule
    everywhere: bool = False
    """Whether one in another namespace can."""


def _routes(each: Manifest, reach: Reach) -> str | None:
    """A route for the same host at the same way in, or in the stack's namespace to its Services."""
    namespace = each["metadata"].get("namespace", "")
    for host in hosts_of(each):
        if reach.is_own(each) and any(overlap(host.lower(), own) for own in reach.hosts):
            return f"answers for {host}"
        if host.lower() in reach.hosts and _same_way(each, reach):
            return f"answers for {host} too"
        if service := reach.service(host, namespace):
            return f"routes what callers ask of Service {service}"
    for backend in _destinations(each.get("spec") or {}):
        target = reach.service(backend, namespace)
        if target and reach.is_own(each):
            return f"routes to Service {target}"
    return None


def _same_way(each: Manifest, reach: Reach) -> bool:
    # Another Gateway may stand before the same pods, so any but the mesh's own counts.
    return any(way != MESH for way in ways_of(each)) or not reach.gateways


def _destinations(value: Any) -> Iterator[str]:  # noqa: ANN401 (nested plain data)
    if isinstance(value, Mapping):
        if isinstance(value.get("host"), str):
            yield value["host"]
        if value.get("kind", "Service") == "Service" and "name" in value and {"port", "group"} & value.keys():
            yield f"{value['name']}.{value['namespace']}" if "namespace" in value else value["name"]
    for each in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
        yield from _destinations(each)


def _host(each: Manifest, reach: Reach) -> str | None:
    """A DestinationRule or ServiceEntry for a name of the stack's."""
    namespace, spec = each["metadata"].get("namespace", ""), each.get("spec") or {}
    for host in [*([spec["host"]] if "host" in spec else ()), *hosts_of(each)]:
        if service := reach.service(host, namespace):
            return f"says how Service {service} is called"
        if host.lower() in reach.hosts:
            return f"says where {host} is"
    return None


def _gateway(each: Manifest, reach: Reach) -> str | None:
    """A Gateway for one of the stack's hosts, or a waypoint in its namespace."""
    if reach.is_own(each):
        return "opens a way into the stack's namespace"
    return next((f"answers for {host} too" for host in hosts_of(each) if host.lower() in reach.hosts), None)


def _policy(each: Manifest, reach: Reach) -> str | None:
    """What Istio applies to the pods that it selects: in the stack's namespace to all, unless it says less.

    In the root namespace only what selects the stack's pods by name is somebody's hand: without a selector
    it is the mesh's own policy, which the platform declares.
    """
    spec, namespace = each.get("spec") or {}, each["metadata"].get("namespace", "")
    for target in [*(spec.get("targetRefs") or ()), *([spec["targetRef"]] if "targetRef" in spec else ())]:
        if reach.is_own(each) and (target["name"] in reach.services or target["kind"] == "Gateway"):
            return f"applies to {target['kind']} {target['name']}"
    if spec.get("targetRefs") or spec.get("targetRef"):
        return None
    selector = spec.get("selector") or {}
    labels = spec.get("workloadSelector") or {}
    chosen = {
        **(selector.get("matchLabels") or {}),
        **(labels.get("labels") or {}),
        **(labels.get("matchLabels") or {}),
    }
    if not chosen and namespace == ROOT:
        return _names_a_host(each, reach)
    return _chosen({"matchLabels": chosen}, namespace, reach) or _names_a_host(each, reach)


def _names_a_host(each: Manifest, reach: Reach) -> str | None:
    """An EnvoyFilter may name the virtual host that it changes."""
    for patch in (each.get("spec") or {}).get("configPatches") or ():
        route = (patch.get("match") or {}).get("routeConfiguration") or {}
        host = ((route.get("vhost") or {}).get("name") or "").partition(":")[0].lower()
        if host and (host in reach.hosts or reach.service(host, "")):
            return f"changes what proxies do for {host}"
    return None


def _chosen(selector: Mapping[str, Any], namespace: str, reach: Reach) -> str | None:
    places = reach.namespaces if namespace == ROOT else {namespace}
    workloads = (reach.chosen(selector, place) for place in sorted(places))
    return next((f"selects the pods of Deployment {each}" for each in workloads if each), None)


def _pod_selector(field: str) -> Rule:
    def rule(each: Manifest, reach: Reach) -> str | None:
        selector = (each.get("spec") or {}).get(field)
        return (
            _chosen(selector, each["metadata"].get("namespace", ""), reach) if selector is not None else None
        )

    return rule


def _service(each: Manifest, reach: Reach) -> str | None:
    selector = (each.get("spec") or {}).get("selector")
    if not selector:
        return None
    return _chosen({"matchLabels": selector}, each["metadata"].get("namespace", ""), reach)


def _scaler(each: Manifest, reach: Reach) -> str | None:
    target = (each.get("spec") or {}).get("scaleTargetRef") or {}
    is_own = reach.is_own(each) and target.get("kind") == "Deployment"
    is_own = is_own and any(target.get("name") == pods.workload for pods in reach.pods)
    return f"scales Deployment {target['name']}" if is_own else None


def _workload(each: Manifest, reach: Reach) -> str | None:
    """Pods that a Service of the stack's takes for its own, or that left their Deployment."""
    if not reach.is_own(each):
        return None
    if any(owner.get("controller") for owner in each["metadata"].get("ownerReferences") or ()):
        return None
    spec = each.get("spec") or {}
    is_pod = each["kind"] in ("Pod", "WorkloadEntry")
    labels = (each["metadata"] if is_pod else (spec.get("template") or {}).get("metadata") or {}).get(
        "labels"
    )
    labels = {**(labels or {}), **(spec.get("labels") or {} if each["kind"] == "WorkloadEntry" else {})}
    for service, chosen in reach.services.items():
        if chosen and all(labels.get(key) == value for key, value in chosen.items()):
            return f"has pods that Service {service} takes for its own"
    name = labels.get("app.kubernetes.io/name")
    if "pod-template-hash" in labels and any(
        name == pods.labels.get("app.kubernetes.io/name") for pods in reach.pods
    ):
        return "was of the stack's Deployment, and left it"
    return None


def _endpoints(each: Manifest, reach: Reach) -> str | None:
    name = (each["metadata"].get("labels") or {}).get("kubernetes.io/service-name")
    is_made_by_hand = reach.is_own(each) and not each["metadata"].get("ownerReferences")
    return f"sends calls of Service {name} elsewhere" if name in reach.services and is_made_by_hand else None


def _ingress(each: Manifest, reach: Reach) -> str | None:
    if not reach.is_own(each):
        return None
    if text := _routes(each, reach):
        return text
    paths = [
        path for rule in each["spec"].get("rules") or () for path in (rule.get("http") or {}).get("paths", ())
    ]
    backends = [path["backend"].get("service", {}).get("name") for path in paths]
    backends.append(((each["spec"].get("defaultBackend") or {}).get("service") or {}).get("name"))
    return next((f"routes to Service {name}" for name in backends if name in reach.services), None)


def _all_pods(each: Manifest, reach: Reach) -> str | None:
    return "limits all pods of the namespace" if reach.is_own(each) and reach.pods else None


_ISTIO, _SECURITY = "networking.istio.io/v1", "security.istio.io/v1"
_GATEWAY_API = "gateway.networking.k8s.io/v1"

WATCHED: Final = (
    Watched(api_version=_ISTIO, kind="VirtualService", rule=_routes, everywhere=True),
    Watched(api_version=_ISTIO, kind="DestinationRule", rule=_host, everywhere=True),
    Watched(api_version=_ISTIO, kind="Gateway", rule=_gateway, everywhere=True),
    Watched(api_version=_ISTIO, kind="ServiceEntry", rule=_host, everywhere=True),
    Watched(api_version=_ISTIO, kind="Sidecar", rule=_policy),
    Watched(api_version=_ISTIO, kind="WorkloadEntry", rule=_workload),
    Watched(api_version="networking.istio.io/v1beta1", kind="ProxyConfig", rule=_policy),
    Watched(api_version="networking.istio.io/v1alpha3", kind="EnvoyFilter", rule=_policy, everywhere=True),
    Watched(api_version="extensions.istio.io/v1alpha1", kind="WasmPlugin", rule=_policy, everywhere=True),
    Watched(api_version="telemetry.istio.io/v1", kind="Telemetry", rule=_policy, everywhere=True),
    Watched(api_version=_SECURITY, kind="PeerAuthentication", rule=_policy, everywhere=True),
    Watched(api_version=_SECURITY, kind="RequestAuthentication", rule=_policy, everywhere=True),
    Watched(api_version=_SECURITY, kind="AuthorizationPolicy", rule=_policy, everywhere=True),
    Watched(api_version=_GATEWAY_API, kind="HTTPRoute", rule=_routes, everywhere=True),
    Watched(api_version=_GATEWAY_API, kind="GRPCRoute", rule=_routes, everywhere=True),
    Watched(api_version=_GATEWAY_API, kind="Gateway", rule=_gateway, everywhere=True),
    Watched(api_version="networking.k8s.io/v1", kind="Ingress", rule=_ingress),
    Watched(api_version="networking.k8s.io/v1", kind="NetworkPolicy", rule=_pod_selector("podSelector")),
    Watched(api_version="v1", kind="Service", rule=_service),
    Watched(api_version="discovery.k8s.io/v1", kind="EndpointSlice", rule=_endpoints),
    Watched(api_version="autoscaling/v2", kind="HorizontalPodAutoscaler", rule=_scaler),
    Watched(api_version="policy/v1", kind="PodDisruptionBudget", rule=_pod_selector("selector")),
    Watched(api_version="v1", kind="LimitRange", rule=_all_pods),
    Watched(api_version="v1", kind="ResourceQuota", rule=_all_pods),
    Watched(api_version="apps/v1", kind="Deployment", rule=_workload),
    Watched(api_version="apps/v1", kind="StatefulSet", rule=_workload),
    Watched(api_version="apps/v1", kind="DaemonSet", rule=_workload),
    Watched(api_version="apps/v1", kind="ReplicaSet", rule=_workload),
    Watched(api_version="v1", kind="Pod", rule=_workload),
)
"""What is looked for. Also what the service account of a schedule has to be allowed to list."""
