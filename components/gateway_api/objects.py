"""Settings → the specs of the Gateway API's objects, and of what stands behind them."""

from collections.abc import Mapping
from typing import Final

from components import subset_policy
from components.gateway_api import filters, matches
from components.ingress import extra_ports_name
from components.matching import Spec
from components.model.routes import Route, Sticky
from components.model.service import Service
from components.model.stack import Stack
from components.routing import WEIGHTS, bound_by, sticky_name

GROUP: Final = "gateway.networking.k8s.io"
CLUSTER_DOMAIN: Final = "svc.cluster.local"
"""Istio takes the Service of a Gateway by its full name, and knows this domain unless told otherwise."""


def gateways(service: Service, stack: Stack) -> dict[str, Spec]:
    """Attach to the ingress that is there: a Gateway for its own Service, one for that of the extra ports.

    They stand in the ingress' namespace, since Istio takes a Service of no other, and there are two of them,
    since Istio looks for every port of a Gateway in each of its Services.
    """
    if not service.outside:
        return {}
    name = extra_ports_name(stack.namespace.name, service.app.name)
    own = stack.ingress.service.partition("/")[2]
    by_name = {name: _gateway(own, stack, [service.gateway.port])}
    if stack.ingress.extra_ports:
        extra = extra_ports_name(stack.namespace.name, stack.name)
        by_name[f"{name}-extra"] = _gateway(extra, stack, [each.port for each in stack.ingress.extra_ports])
    return by_name


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
        "parentRefs": [
            {"group": GROUP, "kind": "Gateway", "namespace": stack.ingress.namespace, "name": name}
            for name in gateways(service, stack)
        ]
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


def _gateway(service: str, stack: Stack, ports: list[int]) -> Spec:
    same_stack = {"matchLabels": {"kubernetes.io/metadata.name": stack.namespace.name}}
    return {
        "gatewayClassName": "istio",
        # An address that is a Service's name keeps Istio from running a gateway of its own.
        "addresses": [{"type": "Hostname", "value": f"{service}.{stack.ingress.namespace}.{CLUSTER_DOMAIN}"}],
        "listeners": [
            {
                "name": f"http-{port}",
                "port": port,
                "protocol": "HTTP",
                "allowedRoutes": {"namespaces": {"from": "Selector", "selector": same_stack}},
            }
            for port in ports
        ],
    }


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
