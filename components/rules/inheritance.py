"""Rules about routes that follow the weights, and what decides the version of their requests."""

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
from components.schema.messages import DECIDES_ONLY, DECIDES_WHAT, INSEPARABLE, NOTHING_TO_DECIDE
from components.schema.type_hints import keys_of

_OF_A_DECISION: Final = frozenset({"name", "to", "inherit", *keys_of(Alternatives)})


_Decision = tuple[Path, tuple[Conditions, ...]]
"""What decides the version of some requests: where it is declared, and which requests."""


def decisions_have_a_version(service: Service, at: Path) -> Iterator[Issue]:
    """A route that only decides the version says which."""
    for nth, route in enumerate(service.routes):
        if route.inherit and route.follows:
            here = at / "routes" / nth
            fix = assign(here / "to", next(iter(service.versions)))
            yield DECIDES_WHAT.at(here / "inherit", value=True, fix=fix)


def decisions_exclude_options(service: Service, at: Path) -> Iterator[Issue]:
    """What is done with its requests comes from the routes below: of two answers one would not hold."""
    for nth, route in enumerate(service.routes):
        if route.inherit:
            for key, said in encode(route).items():
                if key not in _OF_A_DECISION:
                    yield DECIDES_ONLY.at(at / "routes" / nth / key, said)


def decisions_can_be_combined(service: Service, at: Path) -> Iterator[Issue]:
    """Istio tries one match after the other: what two routes ask for together has to be one match."""
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
    told = set()
    for place, alternatives in decisions:
        for why in inseparable(alternatives, route):
            if (place, why) not in told:
                told.add((place, why))
                yield INSEPARABLE.at(here, route.name, other=place, why=why, fix=assign(here / "to", version))


def decisions_are_reached(service: Service, at: Path) -> Iterator[Issue]:
    """A route all of whose requests belong to other routes decides nothing."""
    decisions = [(at / "routes" / nth, service, each) for nth, each in enumerate(service.routes)]
    decisions += [
        (here, replace(service, routes=(route, *service.routes)), route)
        for here, route in _steps(service, at)
    ]
    for here, whole, route in decisions:
        names = {rule.name.partition(".")[0] for rule in http_rules(whole)} if route.inherit else {route.name}
        if route.name not in names:
            yield NOTHING_TO_DECIDE.at(here, encode(route))


def _steps(service: Service, at: Path) -> Iterator[tuple[Path, Route]]:
    """List the steps of the canary that have a `match`, as the route that each of them is."""
    for nth, step in enumerate(service.canary.steps if service.canary else ()):
        if isinstance(step, Step) and step.match is not None:
            said = {field.name: getattr(step.match, field.name) for field in fields(Alternatives)}
            route = Route(name="canary", to=next(iter(service.versions)), inherit=True, **said)
            yield at / "canary" / "steps" / nth / "match", route
