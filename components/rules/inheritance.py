"""Rules about `inherit`: routes that decide the version, and the routes below that follow them."""

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from typing import Final

from components.manifests import route_match
from components.manifests.http_rules import http_rules, inseparable, sticky_conditions
from components.model.canary import Step
from components.model.route_match import Alternatives, Conditions
from components.model.routes import Route
from components.model.service import Service
from components.schema.decode import encode
from components.schema.issues import Issue, Path, assign
from components.schema.messages import (
    INHERIT_UNREACHED,
    INHERIT_WITH_OPTIONS,
    INHERIT_WITHOUT_VERSION,
    INSEPARABLE,
)
from components.schema.type_hints import keys_of

_OF_A_DECISION: Final = frozenset({"name", "to", "inherit", *keys_of(Alternatives)})


_Decision = tuple[Path, tuple[Conditions, ...]]
"""A route, step or cookie that decides the version of some requests: its path and its conditions."""


def decisions_have_a_version(service: Service, at: Path) -> Iterator[Issue]:
    """A route that only decides the version must name one."""
    for nth, route in enumerate(service.routes):
        if route.inherit and route.follows:
            here = at / "routes" / nth
            fix = assign(here / "to", next(iter(service.versions)))
            yield INHERIT_WITHOUT_VERSION.at(here / "inherit", value=True, fix=fix)


def decisions_exclude_options(service: Service, at: Path) -> Iterator[Issue]:
    """The options of its requests come from the routes below."""
    for nth, route in enumerate(service.routes):
        if route.inherit:
            for key, value in encode(route).items():
                if key not in _OF_A_DECISION:
                    yield INHERIT_WITH_OPTIONS.at(at / "routes" / nth / key, value)


def decisions_can_be_combined(service: Service, at: Path) -> Iterator[Issue]:
    """Istio uses the first match, so the conditions of two routes must be combined into one."""
    decisions: list[_Decision] = []
    if service.sticky is not None:
        cookies = tuple(sticky_conditions(service.sticky, version) for version in service.versions)
        decisions.append((at / "sticky", cookies))
    decisions += [(here, tuple(route_match.alternatives(route))) for here, route in _steps(service, at)]
    for nth, route in enumerate(service.routes):
        here = at / "routes" / nth
        if route.inherit:
            decisions.append((here, tuple(route_match.alternatives(route))))
        elif route.follows:
            yield from _inseparable(decisions, route, here, next(iter(service.versions)))


def _inseparable(decisions: Sequence[_Decision], route: Route, here: Path, version: str) -> Iterator[Issue]:
    reported = set()
    for place, alternatives in decisions:
        for why in inseparable(alternatives, route):
            if (place, why) not in reported:
                reported.add((place, why))
                yield INSEPARABLE.at(here, route.name, other=place, why=why, fix=assign(here / "to", version))


def decisions_are_reached(service: Service, at: Path) -> Iterator[Issue]:
    """A route has no effect if other routes take all its requests."""
    decisions = [(at / "routes" / nth, service, each) for nth, each in enumerate(service.routes)]
    decisions += [
        (here, replace(service, routes=(route, *service.routes)), route)
        for here, route in _steps(service, at)
    ]
    for here, routed, route in decisions:
        if route.inherit and route.name not in {r.name.partition(".")[0] for r in http_rules(routed)}:
            yield INHERIT_UNREACHED.at(here, encode(route))


def _steps(service: Service, at: Path) -> Iterator[tuple[Path, Route]]:
    """List the canary's steps with a `match`, each as the route that it becomes."""
    for nth, step in enumerate(service.canary.steps if service.canary else ()):
        if isinstance(step, Step) and step.match is not None:
            match = {field.name: getattr(step.match, field.name) for field in fields(Alternatives)}
            route = Route(name="canary", to=next(iter(service.versions)), inherit=True, **match)
            yield at / "canary" / "steps" / nth / "match", route
