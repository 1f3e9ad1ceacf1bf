"""A rewrite of the path, by what a route matches → Istio's words for it. Pure: no Pulumi, no cluster.

Envoy puts the new path where the matched prefix was, letter for letter: `/api` → `/` makes `//x` of
`/api/x`, and `/api/` → `/v2` makes `/v2x` of it. Where one of the two ends with `/` and the other does not,
an expression takes its place, which leaves one `/` between the new path and the rest.
"""

import re
from collections.abc import Iterable, Sequence

from components.manifests import route_match
from components.manifests.route_match import Spec
from components.model.route_match import UriMatch
from components.model.routes import Route


def new_path(route: Route, to: str) -> Spec:
    """Write the rewrite of a route's path.

    Args:
        route: whose alternatives are matched.
        to: the new path, in place of a prefix, or of the whole path where that is compared whole.
    """
    uris = [each.uri for each in route_match.alternatives(route)]
    prefixes = [uri.prefix for uri in uris if isinstance(uri, UriMatch) and uri.prefix is not None]
    if all(prefix.endswith("/") == to.endswith("/") for prefix in prefixes):
        return {"uri": to}
    exact = [uri for uri in uris if isinstance(uri, str)]
    exact += [uri.exact for uri in uris if isinstance(uri, UriMatch) and uri.exact is not None]
    # Of a path that an expression matched nothing is left.
    whole = [".*"] if any(isinstance(uri, UriMatch) and uri.regex is not None for uri in uris) else []
    rests = _after_slash(prefixes) if to.endswith("/") else _before_slash(prefixes)
    groups = "".join(rf"\{nth}" for nth, _ in enumerate(rests, start=1))
    taken = [*map(re.escape, exact), *rests, *whole]
    return {"uriRegexRewrite": {"match": f"^{_any(taken)}$", "rewrite": to + groups}}


def _after_slash(prefixes: Iterable[str]) -> list[str]:
    """Take what follows a prefix and the `/` behind it: the new path ends with one."""
    written = [re.escape(prefix) + ("" if prefix.endswith("/") else "/?") for prefix in prefixes]
    return [f"{_any(written)}(.*)"]


def _before_slash(prefixes: Sequence[str]) -> list[str]:
    """Take what follows a prefix, with the `/` at its end: the new path ends without one."""
    with_slash = [re.escape(prefix[:-1]) for prefix in prefixes if prefix.endswith("/")]
    without = [re.escape(prefix) for prefix in prefixes if not prefix.endswith("/")]
    rests = [f"{_any(with_slash)}(/.*)"]
    return [*rests, f"{_any(without)}(.*)"] if without else rests


def _any(expressions: Sequence[str]) -> str:
    one, *more = dict.fromkeys(expressions)
    return f"(?:{'|'.join([one, *more])})" if more else one
