"""Routes of a service that do not follow its weights, and references to its old versions. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

from operations.canary.plan import WHOLE
from operations.canary.stack_file.yaml_text import flow
from operations.canary.terminal.text import split_of
from operations.canary.traffic import ROUTE

_CONDITIONS: Final = ("headers", "cookies", "uri", "method", "query", "authority", "source", "anyOf")
"""The keys of a route that match requests."""


@dataclass(frozen=True, kw_only=True)
class FixedRoute:
    """A route with its own `to`: no step of a canary changes it."""

    name: str
    conditions: Mapping[str, Any]
    """In the keys of the stack file."""
    to: Mapping[str, int]
    """Percent by version."""

    @classmethod
    def of(cls, noted: Mapping[str, Any]) -> Self:
        """Read it from a journal entry."""
        return cls(**noted)

    def noted(self) -> dict[str, Any]:
        """Write it for a journal entry."""
        return asdict(self)

    @property
    def destination(self) -> str:
        """The versions that get its requests: `v1`, or `v1 20 · v2 80`."""
        given = {version: weight for version, weight in self.to.items() if weight}
        return next(iter(given)) if len(given) == 1 else split_of(given)

    def __str__(self) -> str:
        """Write its name, conditions and destination."""
        return f"{self.name} {flow(self.conditions)} → {self.destination}"


def fixed_routes(keys: Mapping[str, Any]) -> tuple[FixedRoute, ...]:
    """List the routes of a service with their own `to`, except the canary's."""
    return tuple(
        FixedRoute(
            name=str(route["name"]),
            conditions={key: route[key] for key in _CONDITIONS if key in route},
            to=dict(to) if isinstance(to := route["to"], Mapping) else {str(to): WHOLE},
        )
        for route in keys.get("routes") or ()
        if route.get("to") and route["name"] != ROUTE
    )


def weights_divide_alone(keys: Mapping[str, Any]) -> bool:
    """Return whether only the weights divide the requests of a service, and none is mirrored."""
    routes = keys.get("routes") or ()
    return not (
        keys.get("mirror") or keys.get("sticky") or any({"to", "mirror"} & {*route} for route in routes)
    )


def naming(keys: Mapping[str, Any], versions: set[str]) -> Iterator[tuple[str, str]]:
    """List the keys of routes and mirrors that name one of the versions, with the version."""
    named: list[tuple[str, Any]] = []
    for nth, route in enumerate(keys.get("routes") or ()):
        # A route with `inherit` needs its `to`, so the whole route is named.
        named += [(f"routes[{nth}]{'' if route.get('inherit') else '.to'}", route.get("to"))]
        named += [(f"routes[{nth}].mirror", (route.get("mirror") or {}).get("to"))]
    named += [("mirror", (keys.get("mirror") or {}).get("to"))]
    for key, to in named:
        found = {str(each) for each in to} if isinstance(to, Mapping) else {str(to)}
        yield from ((key, version) for version in sorted(found & versions))


def staying(fixed: Sequence[FixedRoute], to: str) -> str:
    """Describe the routes that still send requests to other versions; empty if there are none."""
    others = [each for each in fixed if any(weight and version != to for version, weight in each.to.items())]
    return ", ".join(f"route {each.name} still goes to {each.destination}" for each in others)
