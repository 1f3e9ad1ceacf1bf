"""A route's rewrite of the path → the `rewrite` of a VirtualService. Pure: no Pulumi, no cluster.

Envoy replaces the matched prefix literally: with `/api` → `/`, `/api/x` becomes `//x`, and with `/api/` →
`/v2` it becomes `/v2x`. If only one of the two ends with `/`, an expression is used instead, which leaves one
`/` between the new path and the rest.
"""

import re
from collections.abc import Iterable, Sequence

from components.manifests import route_match
from components.manifests.route_match import Spec
from components.model.route_match import UriMatch
from components.model.routes import Route


def new_path(route: Route, to: str) -> Spec:
    """Return the rewrite of a route's path.

    Args:
        route: the route with the matched paths.
        to: the new path, which replaces a matched prefix, or the whole path of an exact match.
    """
    uris = [each.uri for each in route_match.alternatives(route)]
    prefixes = [uri.prefix for uri in uris if isinstance(uri, UriMatch) and uri.prefix is not None]
    if all(prefix.endswith("/") == to.endswith("/") for prefix in prefixes):
        return {"uri": to}
    exact = [uri for uri in uris if isinstance(uri, str)]
    exact += [uri.exact for uri in uris if isinstance(uri, UriMatch) and uri.exact is not None]
    # A path that is matched by an expression is replaced completely.
    any_path = [".*"] if any(isinstance(uri, UriMatch) and uri.regex is not None for uri in uris) else []
    rests = _after_slash(prefixes) if to.endswith("/") else _before_slash(prefixes)
    groups = "".join(rf"\{nth}" for nth, _ in enumerate(rests, start=1))
    paths = [*map(re.escape, exact), *rests, *any_path]
    return {"uriRegexRewrite": {"match": f"^{_any(paths)}$", "rewrite": to + groups}}


def _after_slash(prefixes: Iterable[str]) -> list[str]:
    """Match the text after a prefix and its `/`, for a new path that ends with `/`."""
    written = [re.escape(prefix) + ("" if prefix.endswith("/") else "/?") for prefix in prefixes]
    return [f"{_any(written)}(.*)"]


def _before_slash(prefixes: Sequence[str]) -> list[str]:
    """Match the text after a prefix, including its `/`, for a new path that does not end with `/`."""
    with_slash = [re.escape(prefix[:-1]) for prefix in prefixes if prefix.endswith("/")]
    without = [re.escape(prefix) for prefix in prefixes if not prefix.endswith("/")]
    rests = [f"{_any(with_slash)}(/.*)"]
    return [*rests, f"{_any(without)}(.*)"] if without else rests


def _any(expressions: Sequence[str]) -> str:
    one, *more = dict.fromkeys(expressions)
    return f"(?:{'|'.join([one, *more])})" if more else one
