"""Settings → the spec of the one HTTPRoute of a service, and of what stands behind it."""

from collections.abc import Mapping

from components.gateway_api import gateway, http_route_filters, http_route_matches
from components.manifests import traffic_policy
from components.manifests.http_rules import HttpRule, http_rules
from components.manifests.route_match import Spec
from components.model.routes import Sticky
from components.model.service import Service
from components.model.stack import Stack


def http_route(service: Service, stack: Stack) -> Spec:
    """All routes of the service, declared, sticky, weights, in one object."""
    hosts = [host for host in service.hosts if host != "*"]
    return {
        "parentRefs": gateway.parents(service, stack)
        # For callers in the mesh a route hangs on the Service that they call.
        + ([{"group": "", "kind": "Service", "name": service.app.name}] if service.mesh else []),
        **({"hostnames": hosts} if hosts else {}),
        "rules": [
            {"name": rule.name, "matches": taken, **_rule(service, rule)}
            for taken, rule in zip(http_route_matches.of_rules(service), http_rules(service), strict=True)
        ],
    }


def destination_rule(service: Service, version: str) -> Spec | None:
    """What holds for calls to a version. Istio heeds it for a Service as for a subset."""
    policy = traffic_policy.policy(service, version)
    return {"host": service.workload(version), "trafficPolicy": policy} if policy else None


def _rule(service: Service, rule: HttpRule) -> Spec:
    if rule.route and rule.route.redirect is not None:
        return http_route_filters.redirect(rule.route.redirect)
    backends = (
        [http_route_filters.backend(service, rule.to)]
        if isinstance(rule.to, str)
        else _split(service, rule.to or {}, rule.cookie)
    )
    treated = (
        http_route_filters.of_route(service, rule.route, rule.mirror)
        if rule.route
        else http_route_filters.of_service(service, rule.mirror)
    )
    return treated | {"backendRefs": backends}


def _split(service: Service, weights: Mapping[str, int], cookie: Sticky | None) -> list[Spec]:
    """Divide traffic between all versions. One with weight 0 keeps its place, as in a VirtualService."""
    return [
        http_route_filters.backend(service, version)
        | {"weight": weight}
        | (http_route_filters.set_cookie(cookie, version) if cookie else {})
        for version, weight in service.shares(weights).items()
    ]
