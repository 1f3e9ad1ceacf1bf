"""The rules of a service's VirtualService or HTTPRoute, in their order. Pure.

A route that follows the weights becomes several rules with the same options: for requests that a route with
`inherit` sends to a version, for users whose cookie names one, and for all others by weight.
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
"""The name of the last rule, which matches all remaining requests."""


@dataclass(frozen=True, kw_only=True)
class HttpRule:
    """The conditions of some requests, the versions that get them, and the route with their options."""

    name: str
    alternatives: tuple[Conditions, ...]
    """Conditions of which one must be met; without any, all requests match."""
    to: str | Mapping[str, int] | None
    """A version, or shares by version; None for a redirect."""
    route: Route | None
    """The route with the options; None for those of the service."""
    mirror: Mirror | None
    """The version that gets copies of the requests."""
    cookie: Sticky | None = None
    """The cookie to set in responses."""
    nth: int | None = None
    """The index in `routes` of the route from which the rule is derived."""
    derived: bool = False
    """Whether the conditions are combined from two routes, or from the cookie."""


@dataclass(frozen=True, kw_only=True)
class _Decision:
    """Requests whose version is decided independently of the weights."""

    name: str
    alternatives: tuple[Conditions, ...]
    to: str | Mapping[str, int]
    nth: int | None = None


def http_rules(service: Service) -> list[HttpRule]:
    """Return the rules in the order in which they are tried, without unreachable ones."""
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
    """Yield the reasons why a decision cannot be combined with a route that follows the weights."""
    for one, other in product(decision, route_match.alternatives(route)):
        try:
            _both(one, other, route)
        except DisjointConditions:
            continue
        except InseparableConditions as error:
            yield str(error)


def sticky_name(version: str) -> str:
    """Return the name of the route for users with the cookie of a version."""
    return f"sticky-{version}"


def sticky_conditions(sticky: Sticky, version: str) -> Conditions:
    """Return the condition that the cookie names the version."""
    return Conditions(cookies={sticky.cookie: version})


def bound_by(service: Service) -> Sticky | None:
    """Return the sticky cookie, or None unless traffic is divided.

    A cookie that is set while one version has all the traffic would bind its users to it later.
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
    """Combine a decision with a route that follows the weights.

    Declared names have no dot, so the name of this rule is unique.
    """
    alternatives = []
    for one, other in product(decision.alternatives, route_match.alternatives(route)):
        # Inseparable conditions are reported as an issue of the stack file.
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
        # Envoy replaces the path that the rule matches: with a longer prefix, more than intended.
        raise InseparableConditions("its rewrite replaces the path that it matches, and theirs is narrower")
    expression = route_match.request(both).get("headers", {}).get("cookie", {}).get("regex", "")
    if len(expression.encode()) > LONGEST_REGEX:
        raise InseparableConditions(f"Istio allows {LONGEST_REGEX} characters for the cookies of both")
    return both


def _mirror(service: Service, route: Route) -> Mirror | None:
    return route.mirror or (service.mirror if route.follows else None)


def _elsewhere(mirror: Mirror | None, to: str | Mapping[str, int]) -> Mirror | None:
    """Omit copies for the version that answers the request itself."""
    return None if mirror and mirror.to == to else mirror


def _reached(rules: list[HttpRule]) -> Iterator[HttpRule]:
    """Omit conditions that an earlier rule covers: Istio reports them as unreachable (IST0130).

    Between two declared routes this is reported as an issue of the stack file.
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
