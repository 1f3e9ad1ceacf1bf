"""Settings → the spec of the one HTTPRoute of a service, and of what stands behind it."""

from collections.abc import Mapping

from components import subset_policy
from components.gateway_api import filters, gateways, matches
from components.matching import Spec
from components.model.routes import Route, Sticky
from components.model.service import Service
from components.model.stack import Stack
from components.routing import WEIGHTS, bound_by, sticky_name


def http_route(service: Service, stack: Stack) -> Spec:
    """All routes of the service, declared, sticky, weights, in one object."""
    hosts = [host for host in service.hosts if host != "*"]
    rules = [
        *(_route(service, route) for route in service.routes),
        *_sticky_routes(service),
        {
            "name": WEIGHTS,
            **filters.of_service(service),
            "backendRefs": _split(service, service.weights, bound_by(service)),
        },
    ]
    return {
        "parentRefs": gateways.parents(service, stack)
        # For callers in the mesh a route hangs on the Service that they call.
        + ([{"group": "", "kind": "Service", "name": service.app.name}] if service.mesh else []),
        **({"hostnames": hosts} if hosts else {}),
        "rules": [
            {"name": rule.pop("name"), "matches": taken, **rule}
            for taken, rule in zip(matches.of_rules(service), rules, strict=True)
        ],
    }


def destination_rule(service: Service, version: str) -> Spec | None:
    """What holds for calls to a version. Istio heeds it for a Service as for a subset."""
    policy = subset_policy.policy(service, version)
    return {"host": service.workload(version), "trafficPolicy": policy} if policy else None


def _route(service: Service, route: Route) -> Spec:
    if route.redirect is not None:
        return {"name": route.name, **filters.redirect(route.redirect)}
    backends = (
        [filters.backend(service, route.to)]
        if isinstance(route.to, str)
        else _split(service, route.to or {}, cookie=None)
    )
    return {"name": route.name, **filters.of_route(service, route), "backendRefs": backends}


def _sticky_routes(service: Service) -> list[Spec]:
    return [
        {
            "name": sticky_name(version),
            **filters.of_service(service),
            "backendRefs": [filters.backend(service, version)],
        }
        for version, weight in service.split.items()
        if weight and bound_by(service)
    ]


def _split(service: Service, weights: Mapping[str, int], cookie: Sticky | None) -> list[Spec]:
    """Divide traffic between all versions. One with weight 0 keeps its place, as in a VirtualService."""
    return [
        filters.backend(service, version)
        | {"weight": weight}
        | (filters.set_cookie(cookie, version) if cookie else {})
        for version, weight in service.shares(weights).items()
    ]
