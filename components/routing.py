"""Settings → the specs of Istio's objects, as Istio writes them. Pure: no Pulumi, no cluster."""

from collections.abc import Mapping
from typing import Final

from components import matching, subset_policy, treatment
from components.matching import Spec
from components.model.routes import Route, Sticky
from components.model.service import Service

WEIGHTS: Final = "weights"
"""The name of the last route, which takes what no other took."""


def destination_rule(service: Service, version: str) -> Spec:
    """One subset. Each version has a rule of its own, so that each subset can be ordered around the routes.

    Istio merges the subsets of all rules for one host. Traffic policy belongs inside the subset: of what
    stands at the top level, only the first rule's counts.
    """
    policy = subset_policy.policy(service, version)
    subset = {"name": version, "labels": {"app": service.app.name, "version": version}}
    return {
        "host": service.app.name,
        "subsets": [subset | ({"trafficPolicy": policy} if policy else {})],
    }


def virtual_service(service: Service) -> Spec:
    """All routes of the service in the order in which they are tried: declared, sticky, weights.

    One object for gateway and mesh, so that a weight change stays a change of one. In the mesh the host is
    the Service's name, which Istio completes to its full one. From outside nobody reaches it by that name: a
    gateway answers to no host that its own servers lack.
    """
    return {
        "hosts": [*service.hosts, *([service.app.name] if service.mesh else [])],
        "gateways": [*_gateways(service), *(["mesh"] if service.mesh else [])],
        "http": [
            *(_route(service, route) for route in service.routes),
            *_sticky_routes(service),
            {
                "name": WEIGHTS,
                "route": _split(service, service.weights, bound_by(service)),
                **_general(service),
            },
        ],
    }


def sticky_name(version: str) -> str:
    """Name the route of those who stay at a version."""
    return f"sticky-{version}"


def sticky_request(sticky: Sticky, version: str) -> Spec:
    """Match those whose cookie names the version."""
    return {"headers": {"cookie": {"regex": matching.with_cookies({sticky.cookie: version})}}}


def _gateways(service: Service) -> list[str]:
    return [service.gateway.existing or service.app.name] if service.outside else []


def _route(service: Service, route: Route) -> Spec:
    head = {"name": route.name, "match": matching.requests(route)}
    if route.redirect is not None:
        return head | treatment.redirect(route.redirect)
    to = {route.to: 100} if isinstance(route.to, str) else route.to or {}
    destinations = (
        [{"destination": _destination(service, route.to)}]
        if isinstance(route.to, str)
        else _split(service, to, cookie=None)
    )
    return head | {"route": destinations} | treatment.of_route(service, route)


def _sticky_routes(service: Service) -> list[Spec]:
    sticky = bound_by(service)
    if sticky is None:
        return []
    return [
        {
            "name": sticky_name(version),
            "match": [sticky_request(sticky, version)],
            "route": [{"destination": _destination(service, version)}],
            **_general(service),
        }
        for version, weight in service.split.items()
        if weight
    ]


def bound_by(service: Service) -> Sticky | None:
    """Bind users to versions only while traffic is divided.

    A cookie handed out while one version has everything would keep its users from every later one.
    """
    divided = sum(weight > 0 for weight in service.split.values()) > 1
    return service.sticky if divided else None


def _general(service: Service) -> Spec:
    mirror = treatment.mirror(service.app.name, service.mirror) if service.mirror else {}
    return treatment.of_service(service) | mirror


def _split(service: Service, weights: Mapping[str, int], cookie: Sticky | None) -> list[Spec]:
    """Divide traffic between all versions, those with weight 0 among them.

    Istio leaves a destination of weight 0 out of what Envoy gets, so keeping it costs nothing, and every
    version keeps its place in the list: a weight change is a change of numbers in the preview, and a weight
    set by hand is drift that `pulumi refresh` reports, as it would not report a destination added to the live
    list (pulumi-kubernetes#3262). A lone destination has no weight, or Kiali warns (KIA1104).
    """
    shares = service.shares(weights)
    return [
        {"destination": _destination(service, version)}
        | ({"weight": weight} if len(shares) > 1 else {})
        | (treatment.set_cookie(cookie, version) if cookie else {})
        for version, weight in shares.items()
    ]


def _destination(service: Service, version: str) -> Spec:
    return {"host": service.app.name, "subset": version}
