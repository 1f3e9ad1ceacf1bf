"""Settings → the spec of a VirtualService. Pure: no Pulumi, no cluster."""

from collections.abc import Mapping
from typing import Final

from components.manifests import route_match, route_options
from components.manifests.http_rules import HttpRule, http_rules
from components.manifests.route_match import Spec
from components.model.routes import Sticky
from components.model.service import EVERY_HOST, Service

MESH: Final = "mesh"
"""The gateway of a VirtualService for callers in the mesh, as Istio names it."""


def virtual_service(service: Service, *, mesh_apart: bool = False) -> Spec:
    """Return the routes for the gateway and for callers in the mesh, in one object if possible.

    A weight change then changes one object. In the mesh the host is the Service's name, which Istio expands.
    From outside that name is not reachable: a gateway serves only the hosts of its own servers.

    Args:
        service: the service with the routes.
        mesh_apart: whether callers in the mesh have an object of their own.
    """
    joined = bool(service.mesh) and not (mesh_apart or EVERY_HOST in service.hosts)
    return {
        "hosts": [*service.hosts, *([service.app.name] if joined else [])],
        "gateways": [*_gateways(service), *([MESH] if joined else [])],
        "http": [_http(service, rule) for rule in http_rules(service)],
    }


def mesh_virtual_service(service: Service) -> Spec:
    """Return the same routes for callers in the mesh only."""
    routes = [_http(service, rule) for rule in http_rules(service)]
    return {"hosts": [service.app.name], "gateways": [MESH], "http": routes}


def _gateways(service: Service) -> list[str]:
    return [service.gateway.existing or service.app.name] if service.outside else []


def _http(service: Service, rule: HttpRule) -> Spec:
    head: Spec = {"name": rule.name}
    if rule.alternatives:
        head["match"] = [route_match.request(each) for each in rule.alternatives]
    if rule.route and rule.route.redirect is not None:
        return head | route_options.redirect(rule.route.redirect)
    destinations = (
        [{"destination": _destination(service, rule.to)}]
        if isinstance(rule.to, str)
        else _split(service, rule.to or {}, rule.cookie)
    )
    options = route_options.of_route(service, rule.route) if rule.route else route_options.of_service(service)
    copies = route_options.mirror(service.app.name, rule.mirror) if rule.mirror else {}
    return head | {"route": destinations} | options | copies


def _split(service: Service, weights: Mapping[str, int], cookie: Sticky | None) -> list[Spec]:
    """Divide traffic between all versions, including those with weight 0.

    Istio does not send destinations of weight 0 to Envoy. Listing them makes a weight change a change of
    numbers in the preview, and a manually set weight drift that `pulumi refresh` reports; it would not report
    a destination that is added to the live list (pulumi-kubernetes#3262). A single destination has no weight,
    or Kiali warns (KIA1104).
    """
    shares = service.shares(weights)
    return [
        {"destination": _destination(service, version)}
        | ({"weight": weight} if len(shares) > 1 else {})
        | (route_options.set_cookie(cookie, version) if cookie else {})
        for version, weight in shares.items()
    ]


def _destination(service: Service, version: str) -> Spec:
    return {"host": service.app.name, "subset": version}
