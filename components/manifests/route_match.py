"""The conditions of a route → Istio's match requests. Pure: no Pulumi, no cluster."""

import re
from collections.abc import Mapping, Sequence
from itertools import permutations
from typing import Any, Final

from components.model.route_match import Conditions, TextMatch, UriMatch, ValueMatch
from components.model.routes import Route
from components.schema.decode import encode

Spec = dict[str, Any]
"""A Kubernetes object, or part of one."""

ANYTHING: Final[Spec] = {"regex": ".*"}
"""Matches a header with any value: Envoy does not evaluate the expression if the header is absent."""

NOTHING: Final[Spec] = {"regex": "*"}
"""Under `withoutHeaders`, and nowhere else, Istio reads `*` as "present" (istio#20629)."""


_TOKEN: Final = re.compile(
    r"\\.|\[\^?\]?(?:\[:\^?[a-z]+:\]|\\.|[^\]\\])*\]|(?P<named>\(\?P<[A-Za-z0-9_]+>)|(?P<dot>\.)", re.DOTALL
)
"""Escapes and character sets, which are copied; then the name of a group, and the dot."""

_IN_A_VALUE: Final = {"named": "(?:", "dot": "[^;]"}
_AT_END: Final = re.compile(r"(?<!\\)(?:\\\\)*\$\Z")


def alternatives(route: Route) -> list[Conditions]:
    """Return the alternatives of a route, each combined with the conditions that apply to all."""
    return [_both(route, each) for each in route.any_of] or [route]


def request(conditions: Conditions) -> Spec:
    """Return the conditions as one HTTPMatchRequest."""
    headers = {name: _value(match) for name, match in conditions.headers.items() if not _absent(match)}
    without = {name: NOTHING for name, match in conditions.headers.items() if _absent(match)}
    there = {name: match for name, match in conditions.cookies.items() if not _absent(match)}
    missing = [name for name, match in conditions.cookies.items() if _absent(match)]
    source = conditions.source
    spec = {
        "headers": headers | ({"cookie": {"regex": with_cookies(there)}} if there else {}),
        "withoutHeaders": without | ({"cookie": {"regex": any_cookie(missing)}} if missing else {}),
        "uri": _value(conditions.uri),
        "method": _method(conditions.method),
        "queryParams": {name: _value(match) for name, match in conditions.query.items()},
        "authority": _value(conditions.authority),
        "sourceNamespace": source.namespace if source else None,
        "sourceLabels": dict(source.labels) if source else {},
    }
    return {key: value for key, value in spec.items() if value}


def takes(earlier: Spec, later: Spec) -> bool:
    """Return whether all requests that match `later` certainly match `earlier`."""
    for key, wanted in earlier.items():
        given = later.get(key)
        if given is None:
            return False
        if key in ("headers", "withoutHeaders", "queryParams"):
            if not all(name in given and _narrower(given[name], match) for name, match in wanted.items()):
                return False
        elif key == "sourceLabels":
            if not wanted.items() <= given.items():
                return False
        elif not _narrower(given, wanted):
            return False
    return True


def with_cookies(cookies: Mapping[str, str | ValueMatch]) -> str:
    """Write the expression for a `cookie` header that has all these cookies, in whatever order."""
    pairs = [f"{name}={_cookie_value(match)}" for name, match in cookies.items()]
    orders = "|".join(r"\s*;(?:.*;)?\s*".join(order) for order in permutations(pairs))
    return rf"(?:.*;\s*)?(?:{orders})(?:\s*;.*)?" if len(pairs) > 1 else rf"(?:.*;\s*)?{orders}(?:\s*;.*)?"


def any_cookie(names: Sequence[str]) -> str:
    """Return the expression for a `cookie` header with at least one of these cookies."""
    return rf"(?:.*;\s*)?(?:{'|'.join(names)})=.*"


def _both(one: Conditions, other: Conditions) -> Conditions:
    return Conditions(
        headers={**one.headers, **other.headers},
        cookies={**one.cookies, **other.cookies},
        uri=other.uri or one.uri,
        method=other.method or one.method,
        query={**one.query, **other.query},
        authority=other.authority or one.authority,
        source=other.source or one.source,
    )


def _narrower(given: object, wanted: object) -> bool:
    """Return whether the one match implies the other."""
    if wanted in (given, ANYTHING):
        return True
    if isinstance(given, dict) and isinstance(wanted, dict) and "prefix" in wanted:
        text = given.get("exact", given.get("prefix", ""))
        return bool(text) and str(text).startswith(wanted["prefix"])
    return False


def _absent(match: str | ValueMatch) -> bool:
    return isinstance(match, ValueMatch) and match.present is False


def _value(match: str | TextMatch | ValueMatch | UriMatch | None) -> Spec | None:
    if match is None or isinstance(match, str):
        return None if match is None else {"exact": match}
    if isinstance(match, ValueMatch) and match.present:
        return ANYTHING
    written: Spec = encode(match)
    return written


def _method(method: str | tuple[str, ...] | None) -> Spec | None:
    if isinstance(method, tuple):
        return {"exact": method[0]} if len(method) == 1 else {"regex": "|".join(method)}
    return _value(method)


def _cookie_value(match: str | ValueMatch) -> str:
    if isinstance(match, str):
        return re.escape(match)
    if match.exact is not None:
        return re.escape(match.exact)
    if match.prefix is not None:
        return re.escape(match.prefix) + "[^;]*"
    return f"(?:{_within_value(match.regex)})" if match.regex is not None else "[^;]*"


def _within_value(regex: str) -> str:
    """Restrict an expression to the value of its cookie, and remove the names of its groups.

    The expression occurs once for each order of the cookies, and a name may occur only once. A dot must not
    match into the next cookie. `^` and `$` at the ends are redundant, and would mean the ends of the whole
    header.
    """
    inner = regex.removeprefix("^")
    inner = inner[:-1] if _AT_END.search(inner) else inner
    return _TOKEN.sub(lambda found: _IN_A_VALUE.get(found.lastgroup or "", found[0]), inner)
