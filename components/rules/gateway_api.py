"""Rules for stacks that express their policy by the Kubernetes Gateway API."""

from collections.abc import Iterator, Mapping

from components.gateway_api import http_route_matches, http_route_precedence, limits, unsupported
from components.manifests.http_rules import http_rules
from components.model.service import Service
from components.model.stack import Stack
from components.schema.decode import encode
from components.schema.issues import Issue, Path, assign
from components.schema.messages import DUPLICATE_SERVICE, NO_EQUIVALENT, ROUTE_ORDER, TOO_MANY


def everything_has_an_equivalent(stack: Stack, at: Path) -> Iterator[Issue]:
    """Keys that the Gateway API cannot express are refused rather than ignored."""
    for place, service in _services(stack).items():
        for path, value, why in unsupported.missing(service, place):
            yield NO_EQUIVALENT.at(path, encode(value), why=why, switch=_switch(at))


def limits_are_respected(stack: Stack, at: Path) -> Iterator[Issue]:
    """The API server would refuse an HTTPRoute beyond its limits in the middle of an update."""
    for place, service in _services(stack).items():
        for path, limit, count in limits.excess(service, place):
            words = {"what": limit.what, "most": limit.most, "count": count, "switch": _switch(at)}
            yield TOO_MANY.at(path, count, **words)


def order_is_preserved(stack: Stack, at: Path) -> Iterator[Issue]:
    """Routes must be tried in the order of the stack file."""
    for place, service in _services(stack).items():
        rules, reported = http_rules(service), set()
        for upper, lower in http_route_precedence.overtakers(http_route_matches.of_rules(service)):
            # The rules of the cookie and the weights are generated: users can only move a declared route.
            nth = rules[upper].nth
            if nth is not None and nth not in reported:
                reported.add(nth)
                words = {"name": rules[upper].name, "other": rules[lower].name, "switch": _switch(at)}
                yield ROUTE_ORDER.at(place / "routes" / nth, encode(service.routes[nth]), **words)


def services_are_apart(stack: Stack, at: Path) -> Iterator[Issue]:
    """Each version has a Service, whose name no other service of the stack may have."""
    services = _services(stack)
    apps = {service.app.name for service in services.values()}
    for place, service in services.items():
        for version in service.versions:
            if (name := service.workload(version)) in apps:
                yield DUPLICATE_SERVICE.at(
                    place / "versions" / version, version, name=name, switch=_switch(at)
                )


def _services(stack: Stack) -> Mapping[Path, Service]:
    return stack.placed if stack.api == "gateway-api" else {}


def _switch(at: Path) -> str:
    return assign(at / "api", "istio")
