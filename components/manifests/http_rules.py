"""The rules that a VirtualService or an HTTPRoute holds for a service, in their order. Pure.

A route that follows the weights becomes several rules, all with the same treatment: for the requests that a
route with `inherit` sends to a version, for the users whose cookie names one, and for the others by weight.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import product
from typing import Final

from components.manifests import route_match
from components.manifests.match_intersection import DisjointConditions, InseparableConditions, intersection
from components.model.route_match import Conditions
from components.model.route_options import Mirror
from components.model.routes import Route, Sticky
from components.model.service import Service
from components.schema.regex import LONGEST_REGEX

WEIGHTS: Final = "weights"
"""The name of the last rule, which takes what no other took."""


@dataclass(frozen=True, kw_only=True)
class HttpRule:
    """Requests of a kind, the versions that they go to, and the route whose treatment they get."""

    name: str
    alternatives: tuple[Conditions, ...]
    """Conditions of which any one is enough; none take every request."""
    to: str | Mapping[str, int] | None
    """A version, or shares by version; None for a redirect."""
    route: Route | None
    """The route with the treatment; the service's own where None."""
    mirror: Mirror | None
    """Copies of the requests for a version."""
    cookie: Sticky | None = None
    """The cookie to hand out with an answer."""
    nth: int | None = None
    """The place in `routes` of the route that the rule is made from."""
    derived: bool = False
    """Whether the conditions are those of two routes, or of the cookie."""


@dataclass(frozen=True, kw_only=True)
class _Decision:
    """Requests whose version is decided, whatever the weights are."""

    name: str
    alternatives: tuple[Conditions, ...]
    to: str | Mapping[str, int]
    nth: int | None = None


def http_rules(service: Service) -> list[HttpRule]:
    """List the rules in the order in which they are tried, without those that no request reaches."""
    rules: list[HttpRule] = []
    decisions: list[_Decision] = []
    for nth, route in enumerate(service.routes):
        alternatives = tuple(route_match.alternatives(route))
        if route.inherit:
            to = route.to if route.to is not None else {}
            decisions.append(_Decision(name=route.name, alternatives=alternatives, to=to, nth=nth))
            continue
        if route.follows:
            followed = [*decisions, *_sticky(service)]
            rules += [_derived(service, each, route, nth) for each in followed]
        rules.append(
            HttpRule(
                name=route.name,
                alternatives=alternatives,
                to=service.weights if route.follows else route.to,
                route=route,
                mirror=_mirror(service, route),
                cookie=bound_by(service) if route.follows else None,
                nth=nth,
            )
        )
    rules += [_of_service(service, each) for each in (*decisions, *_sticky(service))]
    last = HttpRule(
        name=WEIGHTS,
        alternatives=(),
        to=service.weights,
        route=None,
        mirror=service.mirror,
        cookie=bound_by(service),
    )
    return [*_reached(rules), last]


def inseparable(decision: Iterable[Conditions], route: Route) -> Iterator[str]:
    """Say why a decided version cannot be combined with a route that follows the weights, if so."""
    for one, other in product(decision, route_match.alternatives(route)):
        try:
            _both(one, other, route)
        except DisjointConditions:
            continue
        except InseparableConditions as error:
            yield str(error)


def sticky_name(version: str) -> str:
    """Name the route of those who stay at a version."""
    return f"sticky-{version}"


def sticky_conditions(sticky: Sticky, version: str) -> Conditions:
    """Match those whose cookie names the version."""
    return Conditions(cookies={sticky.cookie: version})


def bound_by(service: Service) -> Sticky | None:
    """Bind users to versions only while traffic is divided.

    A cookie handed out while one version has everything would keep its users from every later one.
    """
    divided = sum(weight > 0 for weight in service.split.values()) > 1
    return service.sticky if divided else None


def _sticky(service: Service) -> list[_Decision]:
    if (sticky := bound_by(service)) is None:
        return []
    return [
        _Decision(name=sticky_name(version), alternatives=(sticky_conditions(sticky, version),), to=version)
        for version, weight in service.split.items()
        if weight
    ]


def _derived(service: Service, decision: _Decision, route: Route, nth: int) -> HttpRule:
    """Combine a decided version with a route that follows the weights.

    No declared name has a dot, so the name of this rule is free.
    """
    alternatives = []
    for one, other in product(decision.alternatives, route_match.alternatives(route)):
        # What cannot be combined is an error of the stack file, and reported as that.
        with suppress(DisjointConditions, InseparableConditions):
            alternatives.append(_both(one, other, route))
    return HttpRule(
        name=f"{decision.name}.{route.name}",
        alternatives=tuple(alternatives),
        to=decision.to,
        route=route,
        mirror=_elsewhere(_mirror(service, route), decision.to),
        nth=nth,
        derived=True,
    )


def _of_service(service: Service, decision: _Decision) -> HttpRule:
    return HttpRule(
        name=decision.name,
        alternatives=decision.alternatives,
        to=decision.to,
        route=None,
        mirror=_elsewhere(service.mirror, decision.to),
        nth=decision.nth,
        derived=True,
    )


def _both(one: Conditions, other: Conditions, route: Route) -> Conditions:
    both = intersection(one, other)
    if (
        route.rewrite
        and route.rewrite.uri
        and route_match.request(both).get("uri") != route_match.request(other).get("uri")
    ):
        # Envoy replaces the path that the rule matches: of a longer prefix, more than the route says.
        raise InseparableConditions("its rewrite replaces the path that it matches, and theirs is narrower")
    expression = route_match.request(both).get("headers", {}).get("cookie", {}).get("regex", "")
    if len(expression.encode()) > LONGEST_REGEX:
        raise InseparableConditions(f"Istio takes {LONGEST_REGEX} characters for the cookies of both")
    return both


def _mirror(service: Service, route: Route) -> Mirror | None:
    return route.mirror or (service.mirror if route.follows else None)


def _elsewhere(mirror: Mirror | None, to: str | Mapping[str, int]) -> Mirror | None:
    """Leave out copies for the version that answers the request itself."""
    return None if mirror and mirror.to == to else mirror


def _reached(rules: list[HttpRule]) -> Iterator[HttpRule]:
    """Leave out conditions that an earlier rule takes whole: Istio reports them as unreachable (IST0130).

    Of two declared routes that is an error of the stack file, and reported as that.
    """
    seen: list[tuple[route_match.Spec, bool]] = []
    for rule in rules:
        reached = []
        for each in rule.alternatives:
            request = route_match.request(each)
            if not any(
                (rule.derived or derived) and route_match.takes(earlier, request) for earlier, derived in seen
            ):
                reached.append(each)
                seen.append((request, rule.derived))
        if reached:
            yield replace(rule, alternatives=tuple(reached))
