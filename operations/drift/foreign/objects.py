"""Objects that nobody declared and that touch a stack's hosts or pods: each kind with its rule. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from operations.drift.foreign.hosts import entry, gateway, ingress, names, routes
from operations.drift.foreign.pods import (
    all_pods,
    endpoints,
    pod_selector,
    policy,
    service,
    takes_deployment,
    workload,
)
from operations.drift.foreign.reach import Reach
from operations.kube.manifests import Manifest

Rule = Callable[[Manifest, Reach], str | None]
"""Says what an object touches, in words; None where it does not."""


@dataclass(frozen=True, kw_only=True)
class RoutedKind:
    """A kind whose objects may touch a stack."""

    api_version: str
    kind: str
    rules: tuple[Rule, ...]
    everywhere: bool = False
    """Whether one in another namespace can."""

    def touches(self, each: Manifest, reach: Reach) -> str | None:
        """Say what an object of the kind touches, if anything."""
        return next((said for rule in self.rules if (said := rule(each, reach))), None)


_ISTIO, _SECURITY, _TELEMETRY = "networking.istio.io/v1", "security.istio.io/v1", "telemetry.istio.io/v1"
_GATEWAY_API, _NEXT = "gateway.networking.k8s.io/v1", "gateway.networking.k8s.io/v1alpha2"
_POLICY, _ROUTES = (policy, names), (routes,)

_KINDS: Final[tuple[tuple[str, str, tuple[Rule, ...], bool], ...]] = (
    (_ISTIO, "VirtualService", _ROUTES, True),
    (_ISTIO, "DestinationRule", (entry,), True),
    (_ISTIO, "Gateway", (gateway,), True),
    (_ISTIO, "ServiceEntry", (entry, policy), True),
    (_ISTIO, "Sidecar", _POLICY, False),
    (_ISTIO, "WorkloadEntry", (workload,), False),
    ("networking.istio.io/v1beta1", "ProxyConfig", _POLICY, False),
    ("networking.istio.io/v1alpha3", "EnvoyFilter", _POLICY, True),
    ("extensions.istio.io/v1alpha1", "WasmPlugin", _POLICY, True),
    (_TELEMETRY, "Telemetry", _POLICY, True),
    (_SECURITY, "PeerAuthentication", _POLICY, True),
    (_SECURITY, "RequestAuthentication", _POLICY, True),
    (_SECURITY, "AuthorizationPolicy", _POLICY, True),
    (_GATEWAY_API, "HTTPRoute", _ROUTES, True),
    (_GATEWAY_API, "GRPCRoute", _ROUTES, True),
    (_NEXT, "TLSRoute", _ROUTES, True),
    (_NEXT, "TCPRoute", _ROUTES, True),
    (_GATEWAY_API, "Gateway", (gateway,), True),
    (_GATEWAY_API, "BackendTLSPolicy", (policy,), False),
    ("networking.k8s.io/v1", "Ingress", (ingress, routes), True),
    ("networking.k8s.io/v1", "NetworkPolicy", (pod_selector("podSelector"),), False),
    ("v1", "Service", (service,), False),
    ("discovery.k8s.io/v1", "EndpointSlice", (endpoints,), False),
    ("autoscaling/v2", "HorizontalPodAutoscaler", (takes_deployment,), False),
    ("autoscaling.k8s.io/v1", "VerticalPodAutoscaler", (takes_deployment,), False),
    ("keda.sh/v1alpha1", "ScaledObject", (takes_deployment,), False),
    ("flagger.app/v1beta1", "Canary", (takes_deployment,), False),
    ("argoproj.io/v1alpha1", "Rollout", (takes_deployment, workload), False),
    ("policy/v1", "PodDisruptionBudget", (pod_selector("selector"),), False),
    ("v1", "LimitRange", (all_pods,), False),
    ("v1", "ResourceQuota", (all_pods,), False),
    ("apps/v1", "Deployment", (workload,), False),
    ("apps/v1", "StatefulSet", (workload,), False),
    ("apps/v1", "DaemonSet", (workload,), False),
    ("apps/v1", "ReplicaSet", (workload,), False),
    ("batch/v1", "Job", (workload,), False),
    ("batch/v1", "CronJob", (workload,), False),
    ("v1", "ReplicationController", (workload,), False),
    ("v1", "Pod", (workload,), False),
)

WATCHED: Final = tuple(
    RoutedKind(api_version=version, kind=kind, rules=rules, everywhere=everywhere)
    for version, kind, rules, everywhere in _KINDS
)
"""What is looked for. Also what the service account of a schedule has to be allowed to list."""
