"""The keys of a stack file that the Gateway API cannot express, with the reasons."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Final

from components.manifests import route_match
from components.model.gateway import Gateway, Listener
from components.model.resilience import Resilience
from components.model.rewrite import Redirect, Rewrite
from components.model.route_match import Conditions, UriMatch, ValueMatch
from components.model.route_options import Cors
from components.model.routes import Route
from components.model.service import Service
from components.schema.issues import Path
from components.schema.type_hints import key_of

_ORIGIN: Final = re.compile(r"https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?")
_RETRIES: Final = "retries are only in its experimental channel"
_NO_PORT: Final = "its hostname has no port"
_NOT_IMPLEMENTED: Final = "this program does not implement it for the Gateway API"

GATEWAY_KEYS: Final = frozenset({"existing", "hosts", "listeners", "port", "tls"})
"""The supported keys of `gateway`. New keys are refused until they are implemented."""


@dataclass(frozen=True, kw_only=True)
class Missing:
    """A key without an equivalent, always or for some values of its table."""

    of: type
    key: str
    why: str
    when: Callable[[Any], bool] = lambda _: True


MISSING: Final = (
    Missing(of=Conditions, key="authority", why="hosts apply to a whole HTTPRoute, not to one of its rules"),
    Missing(of=Conditions, key="source", why="it cannot match the caller"),
    Missing(
        of=Listener,
        key="tls",
        why="its listeners have one host each, and Istio answers 404 to a browser that uses one connection "
        "for several hosts of a certificate; give each host a listener and a certificate of its own",
        when=lambda listener: len(listener.hosts) > 1,
    ),
    Missing(
        of=ValueMatch,
        key="present",
        why="it cannot match absent headers or cookies",
        when=lambda match: match.present is False,
    ),
    Missing(of=Route, key="fault", why="it has no fault injection"),
    Missing(of=Route, key="retries", why=_RETRIES),
    Missing(of=Resilience, key="retries", why=_RETRIES),
    Missing(
        of=Route,
        key="rewrite",
        why="it replaces the whole path, so the route must match an exact uri",
        when=lambda route: (
            route.rewrite.uri is not None and not all(map(_is_exact, route_match.alternatives(route)))
        ),
    ),
    Missing(of=Rewrite, key="uriRegex", why="it cannot rewrite a path by an expression"),
    Missing(of=Rewrite, key="authority", why=_NO_PORT, when=lambda rewrite: ":" in (rewrite.authority or "")),
    Missing(
        of=Redirect, key="authority", why=_NO_PORT, when=lambda redirect: ":" in (redirect.authority or "")
    ),
    Missing(
        of=Route,
        key="redirect",
        why="without scheme and port it redirects clients to the port that they used; set one of them",
        when=lambda route: route.redirect.scheme is None and route.redirect.port is None,
    ),
    Missing(
        of=Cors,
        key="allowOrigins",
        why="it accepts origins as scheme, host and port, but not by prefix, expression or '*'",
        when=lambda cors: not all(_is_plain(origin) for origin in cors.allow_origins),
    ),
    Missing(
        of=Cors,
        key="allowMethods",
        why="it takes '*' alone or not at all",
        when=lambda cors: "*" in cors.allow_methods and len(cors.allow_methods) > 1,
    ),
    Missing(
        of=Cors,
        key="allowHeaders",
        why="it takes '*' alone or not at all",
        when=lambda cors: "*" in cors.allow_headers and len(cors.allow_headers) > 1,
    ),
)
"""https://gateway-api.sigs.k8s.io/reference/spec/, its standard channel, and Istio's implementation of it."""


def missing(service: Service, at: Path) -> Iterator[tuple[Path, object, str]]:
    """Yield each given key without an equivalent: its path, its value and the reason."""
    for path, table in tables(service, at):
        for key, value, default in _keys(table):
            if value in (None, (), {}):
                continue
            rows = [each for each in MISSING if isinstance(table, each.of) and key == each.key]
            if not rows and isinstance(table, Gateway) and key not in GATEWAY_KEYS and value != default:
                yield path / key, value, _NOT_IMPLEMENTED
            for each in rows:
                if each.when(table):
                    yield path / key, value, each.why


def tables(value: object, at: Path) -> Iterator[tuple[Path, object]]:
    """Yield every table in a value with its path, outer ones first."""
    if is_dataclass(value):
        yield at, value
        inner = [(at / key, each) for key, each, _ in _keys(value)]
    elif isinstance(value, Mapping):
        inner = [(at / key, each) for key, each in value.items()]
    else:
        inner = [(at / nth, each) for nth, each in enumerate(value)] if isinstance(value, tuple) else []
    for path, each in inner:
        yield from tables(each, path)


def _keys(table: object) -> Iterator[tuple[str, object, object]]:
    """Yield the keys of a table with their values and defaults."""
    for field in fields(table):  # type: ignore[arg-type]
        yield key_of(field.name), getattr(table, field.name), field.default


def _is_exact(conditions: Conditions) -> bool:
    uri = conditions.uri
    return uri.exact is not None if isinstance(uri, UriMatch) else uri is not None


def _is_plain(origin: object) -> bool:
    text = origin if isinstance(origin, str) else getattr(origin, "exact", None)
    return text is not None and _ORIGIN.fullmatch(text) is not None
