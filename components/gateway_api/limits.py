"""The limits of one HTTPRoute and one Gateway, from the schemas of the standard channel."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from components.gateway_api import http_route_matches
from components.gateway_api.unsupported import tables
from components.model.gateway import Gateway
from components.model.route_options import HeaderChanges
from components.model.routes import Route
from components.model.service import Service
from components.schema.issues import Path

LISTED: Final = 16
"""The maximal number of entries of most lists."""

LONGEST: Final = 1024
"""The maximal length of a path, of the value of a query parameter, and of either's expression."""


@dataclass(frozen=True, kw_only=True)
class Limit:
    """The limit of a key in an HTTPRoute or Gateway."""

    of: type
    key: str
    what: str
    most: int
    count: Callable[[Any], int]


def excess(service: Service, at: Path) -> Iterator[tuple[Path, Limit, int]]:
    """Yield each exceeded limit with the path of the key and the actual count."""
    for path, holder in tables(service, at):
        for limit in LIMITS:
            if isinstance(holder, limit.of) and (count := limit.count(holder)) > limit.most:
                yield path / limit.key, limit, count


def _rules(service: Service) -> int:
    return len(http_route_matches.of_rules(service))


def _matches(service: Service) -> int:
    return sum(map(len, http_route_matches.of_rules(service)))


def _hosts(gateway: Gateway) -> int:
    hosts = {host for each in (gateway, *gateway.listeners) for host in each.hosts}
    return 0 if "*" in hosts else len(hosts)  # A route for all hosts lists none.


def _listeners(gateway: Gateway) -> int:
    """Count the listeners of one Gateway. Listeners that redirect are in another one, which has no more."""
    listeners = (gateway, *gateway.listeners)
    return sum(len(each.hosts) * (bool(each.tls) + each.serves_plain_http) for each in listeners)


def _longest(kind: str) -> Callable[[Route], int]:
    def count(route: Route) -> int:
        written = [match[kind] for match in http_route_matches.of_route(route) if kind in match]
        texts = [each["value"] for one in written for each in (one if isinstance(one, list) else [one])]
        return max(map(len, texts), default=0)

    return count


def _most(kind: str) -> Callable[[Route], int]:
    return lambda route: max(len(match.get(kind, ())) for match in http_route_matches.of_route(route))


def _entries(name: str) -> Callable[[object], int]:
    return lambda holder: len(getattr(holder, name))


LIMITS: Final = (
    Limit(of=Service, key="versions", what="backends", most=LISTED, count=_entries("versions")),
    Limit(
        of=Service,
        key="routes",
        what="rules, including those of the cookie and the weights",
        most=LISTED,
        count=_rules,
    ),
    Limit(of=Service, key="routes", what="matches in total, one for each method", most=128, count=_matches),
    Limit(of=Route, key="uri", what="characters in a path", most=LONGEST, count=_longest("path")),
    Limit(of=Route, key="query", what="characters in a value", most=LONGEST, count=_longest("queryParams")),
    Limit(of=Route, key="headers", what="headers in a match", most=LISTED, count=_most("headers")),
    Limit(of=Route, key="query", what="parameters in a match", most=LISTED, count=_most("queryParams")),
    Limit(
        of=Route,
        key="anyOf",
        what="matches in a rule, one for each method",
        most=64,
        count=lambda route: len(http_route_matches.of_route(route)),
    ),
    Limit(of=Gateway, key="hosts", what="hosts", most=LISTED, count=_hosts),
    Limit(
        of=Gateway,
        key="listeners",
        what="listeners, one for each port of a host",
        most=64,
        count=_listeners,
    ),
    *(
        Limit(of=HeaderChanges, key=verb, what="headers", most=LISTED, count=_entries(verb))
        for verb in ("set", "add", "remove")
    ),
)
