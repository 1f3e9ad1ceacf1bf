"""The kinds whose objects may affect a stack's routing, callers, pods or scaling. Pure."""

from dataclasses import dataclass
from typing import Final

from operations.drift.foreign_rules import (
    Rule,
    gateway,
    host_rule,
    named_host,
    pod,
    pod_selector,
    policy,
    route,
    scaler,
)
from operations.drift.stack_scope import StackScope
from operations.kube.manifests import Manifest


@dataclass(frozen=True, kw_only=True)
class ForeignKind:
    """A kind whose objects may affect a stack that did not declare them."""

    api_version: str
    kind: str
    rules: tuple[Rule, ...]
    all_namespaces: bool
    """Whether an object in another namespace may affect the stack."""

    def affects(self, each: Manifest, scope: StackScope) -> str | None:
        """Return what an object of this kind affects, if anything."""
        return next((why for rule in self.rules if (why := rule(each, scope))), None)


_POLICY: Final = (policy, named_host)
_KINDS: Final[tuple[tuple[str, str, tuple[Rule, ...], bool], ...]] = (
    ("networking.istio.io/v1", "VirtualService", (route,), True),
    ("networking.istio.io/v1", "DestinationRule", (host_rule,), True),
    ("networking.istio.io/v1", "Gateway", (gateway,), True),
    ("networking.istio.io/v1", "ServiceEntry", (host_rule, policy), True),
    ("networking.istio.io/v1alpha3", "EnvoyFilter", _POLICY, True),
    ("security.istio.io/v1", "PeerAuthentication", _POLICY, True),
    ("security.istio.io/v1", "RequestAuthentication", _POLICY, True),
    ("security.istio.io/v1", "AuthorizationPolicy", _POLICY, True),
    ("gateway.networking.k8s.io/v1", "HTTPRoute", (route,), True),
    ("gateway.networking.k8s.io/v1", "Gateway", (gateway,), True),
    ("networking.k8s.io/v1", "NetworkPolicy", (pod_selector("podSelector"),), False),
    ("v1", "Service", (pod_selector("selector"),), False),
    ("autoscaling/v2", "HorizontalPodAutoscaler", (scaler,), False),
    ("policy/v1", "PodDisruptionBudget", (pod_selector("selector"),), False),
    ("v1", "Pod", (pod,), False),
)

FOREIGN_KINDS: Final = tuple(
    ForeignKind(api_version=version, kind=kind, rules=rules, all_namespaces=all_namespaces)
    for version, kind, rules, all_namespaces in _KINDS
)
"""The kinds that a check lists. docs/drift/cronjob.yaml grants the permissions for it."""
