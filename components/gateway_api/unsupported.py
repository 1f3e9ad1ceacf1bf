"""What a stack file can say and the Gateway API cannot, and why. The only list of it."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from components.gateway_api.tables import keys, tables
from components.manifests import route_match
from components.model.gateway import Gateway, Listener
from components.model.resilience import Resilience
from components.model.rewrite import Redirect, Rewrite
from components.model.route_match import Conditions, UriMatch, ValueMatch
from components.model.route_options import Cors
from components.model.routes import Route
from components.model.service import Service
from components.schema.issues import Path

_ORIGIN: Final = re.compile(r"https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?")
_RETRIES: Final = "retries are in its experimental channel only"
_NO_PORT: Final = "its hostname has no port"
_UNWRITTEN: Final = "this program does not write it in those words"

GATEWAY_KEYS: Final = frozenset({"existing", "hosts", "listeners", "port", "tls"})
"""What of the service's gateway is written. A key that comes later is refused until it is, not forgotten."""


@dataclass(frozen=True, kw_only=True)
class Missing:
    """A key that has no equivalent, always or for some values of what holds it."""

    of: type
    key: str
    why: str
    when: Callable[[Any], bool] = lambda _: True


MISSING: Final = (
    Missing(of=Conditions, key="authority", why="hosts belong to a whole HTTPRoute, not to one of its rules"),
    Missing(of=Conditions, key="source", why="it cannot ask who calls"),
    Missing(
        of=Listener,
        key="tls",
        why="a listener of its has one host, and Istio answers 404 to a browser that uses one connection for "
        "several hosts of a certificate; give each host a listener and a certificate of its own",
        when=lambda listener: len(listener.hosts) > 1,
    ),
    Missing(
        of=ValueMatch,
        key="present",
        why="it can ask for what is there, not for what is absent",
        when=lambda match: match.present is False,
    ),
    Missing(of=Route, key="fault", why="it knows no trouble on purpose"),
    Missing(of=Route, key="retries", why=_RETRIES),
    Missing(of=Resilience, key="retries", why=_RETRIES),
    Missing(
        of=Route,
        key="rewrite",
        why="it replaces a whole path, so the route has to take an exact uri",
        when=lambda route: (
            route.rewrite.uri is not None and not all(map(_is_exact, route_match.alternatives(route)))
        ),
    ),
    Missing(of=Rewrite, key="uriRegex", why="it rewrites no path by an expression"),
    Missing(of=Rewrite, key="authority", why=_NO_PORT, when=lambda rewrite: ":" in (rewrite.authority or "")),
    Missing(
        of=Redirect, key="authority", why=_NO_PORT, when=lambda redirect: ":" in (redirect.authority or "")
    ),
    Missing(
        of=Route,
        key="redirect",
        why="without scheme and port it sends clients to the port on which they came; say one of them",
        when=lambda route: route.redirect.scheme is None and route.redirect.port is None,
    ),
    Missing(
        of=Cors,
        key="allowOrigins",
        why="it takes origins as scheme, host and port, and none by prefix, expression or '*'",
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
"""https://gateway-api.sigs.k8s.io/reference/spec/, its standard channel, and Istio's reading of it."""


def missing(service: Service, at: Path) -> Iterator[tuple[Path, object, str]]:
    """List what is said without an equivalent: where, what, and why there is none."""
    for path, holder in tables(service, at):
        for key, said, usual in keys(holder):
            if said in (None, (), {}):
                continue
            rows = [each for each in MISSING if isinstance(holder, each.of) and key == each.key]
            if not rows and isinstance(holder, Gateway) and key not in GATEWAY_KEYS and said != usual:
                yield path / key, said, _UNWRITTEN
            for each in rows:
                if each.when(holder):
                    yield path / key, said, each.why


def _is_exact(conditions: Conditions) -> bool:
    uri = conditions.uri
    return uri.exact is not None if isinstance(uri, UriMatch) else uri is not None


def _is_plain(origin: object) -> bool:
    text = origin if isinstance(origin, str) else getattr(origin, "exact", None)
    return text is not None and _ORIGIN.fullmatch(text) is not None
