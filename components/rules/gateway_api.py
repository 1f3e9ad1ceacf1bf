"""Rules for stacks that express their policy by the Kubernetes Gateway API."""

from collections.abc import Iterator, Mapping

from components.gateway_api import http_route_matches, http_route_precedence, limits, unsupported
from components.manifests.http_rules import http_rules
from components.model.service import Service
from components.model.stack import Stack
from components.schema.decode import encode
from components.schema.issues import Issue, Path, assign
from components.schema.messages import NO_EQUIVALENT, OVERTAKEN, SERVICE_TWICE, TOO_MANY


def everything_has_an_equivalent(stack: Stack, at: Path) -> Iterator[Issue]:
    """What the Gateway API cannot say is refused: left out, it would be missed in silence."""
    for place, service in _concerned(stack).items():
        for path, said, why in unsupported.missing(service, place):
            yield NO_EQUIVALENT.at(path, encode(said), why=why, switch=_switch(at))


def routes_hold_it(stack: Stack, at: Path) -> Iterator[Issue]:
    """The API server refuses an HTTPRoute beyond its limits, when half of the stack is there already."""
    for place, service in _concerned(stack).items():
        for path, limit, count in limits.excess(service, place):
            words = {"what": limit.what, "most": limit.most, "count": count, "switch": _switch(at)}
            yield TOO_MANY.at(path, count, **words)


def order_is_kept(stack: Stack, at: Path) -> Iterator[Issue]:
    """A request goes where the order of the list says, or the stack file is refused."""
    for place, service in _concerned(stack).items():
        rules, told = http_rules(service), set()
        for upper, lower in http_route_precedence.overtakers(http_route_matches.of_rules(service)):
            # The cookie's routes and the weights are ours: only above a declared route can a user mend it.
            nth = rules[upper].nth
            if nth is not None and nth not in told:
                told.add(nth)
                words = {"name": rules[upper].name, "other": rules[lower].name, "switch": _switch(at)}
                yield OVERTAKEN.at(place / "routes" / nth, encode(service.routes[nth]), **words)


def services_are_apart(stack: Stack, at: Path) -> Iterator[Issue]:
    """Each version has a Service, and no other service of the stack may be called like it."""
    concerned = _concerned(stack)
    apps = {service.app.name for service in concerned.values()}
    for place, service in concerned.items():
        for version in service.versions:
            if (name := service.workload(version)) in apps:
                yield SERVICE_TWICE.at(place / "versions" / version, version, name=name, switch=_switch(at))


def _concerned(stack: Stack) -> Mapping[Path, Service]:
    return stack.placed if stack.api == "gateway-api" else {}


def _switch(at: Path) -> str:
    return assign(at / "api", "istio")
