"""Rules about redirects."""

from collections.abc import Iterator
from typing import Final

from components.manifests import route_match
from components.manifests.listeners import HTTPS_PORT, entry_points
from components.model.rewrite import Redirect
from components.model.route_match import UriMatch
from components.model.service import Service
from components.model.types import UrlPath
from components.schema import regex
from components.schema.decode import encode
from components.schema.issues import Issue, Path, assign
from components.schema.messages import REDIRECT_LOOP

_USUAL_PORTS: Final = {"http": 80, "https": HTTPS_PORT}
"""The default ports of the schemes."""


def redirects_do_not_loop(service: Service, at: Path) -> Iterator[Issue]:
    """A client that is redirected to the same route gives up after some redirects."""
    for nth, route in enumerate(service.routes):
        to = route.redirect
        if to is None or not _stays(service, to):
            continue
        # Other conditions may fail after the redirect: the client need not send the header or cookie again.
        by_path = [
            each for each in route_match.alternatives(route) if route_match.request(each).keys() == {"uri"}
        ]
        if any(to.uri is None or _takes(each.uri, to.uri) for each in by_path):
            here = at / "routes" / nth / "redirect"
            fix = assign(here / "authority", "other.example.com")
            yield REDIRECT_LOOP.at(here, encode(to), fix=fix)


def _stays(service: Service, to: Redirect) -> bool:
    """Return whether the redirect certainly leads back to the service."""
    if to.authority is not None or to.port is not None:
        return False
    return to.scheme is None or any(
        each.scheme == to.scheme and each.port == _USUAL_PORTS[to.scheme] and not each.redirects
        for each in entry_points(service, Path())
    )


def _takes(uri: UrlPath | UriMatch | None, path: UrlPath) -> bool:
    if not isinstance(uri, UriMatch):
        return uri == path
    if uri.regex is not None:
        return regex.matches(uri.regex, path)
    return path == uri.exact or (uri.prefix is not None and path.startswith(uri.prefix))
