"""The order in which implementations try the rules of an HTTPRoute.

Across all rules the more specific match comes first; the order of the list only decides between equal ones.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from components.manifests.route_match import Spec
from components.schema.regex import InvalidRegexError, matches

Match = Mapping[str, Any]

_PATHS: Final = {"Exact": 3, "PathPrefix": 2, "RegularExpression": 1}
"""The Gateway API does not specify the rank of expressions; Istio tries them last: sortHTTPRoutes."""


def overtakers(rules: Sequence[Sequence[Spec]]) -> Iterator[tuple[int, int]]:
    """Yield pairs of rules of which the second is declared below the first and would be tried before it."""
    for upper in range(len(rules)):
        for lower in range(upper + 1, len(rules)):
            if any(_overtakes(below, above) for above in rules[upper] for below in rules[lower]):
                yield upper, lower


def _overtakes(below: Match, above: Match) -> bool:
    return _rank(below) > _rank(above) and not _apart(below, above)


def _rank(match: Match) -> tuple[int, int, bool, int, int]:
    path = match["path"]
    headers, parameters = len(match.get("headers", ())), len(match.get("queryParams", ()))
    return _PATHS[path["type"]], len(path["value"]), "method" in match, headers, parameters


def _apart(one: Match, other: Match) -> bool:
    """Return whether certainly no request matches both."""
    pairs = [(_exactly(one.get("method")), _exactly(other.get("method"))), (one["path"], other["path"])]
    for kind in ("headers", "queryParams"):
        by_name = {each["name"]: each for each in one.get(kind, ())}
        pairs += [(by_name.get(each["name"]), each) for each in other.get(kind, ())]
    return any(a is not None and b is not None and _differ(a, b) for a, b in pairs)


def _exactly(method: str | None) -> Spec | None:
    return None if method is None else {"type": "Exact", "value": method}


def _differ(one: Match, other: Match) -> bool:
    for text, pattern in ((one, other), (other, one)):
        if text["type"] == "Exact":
            if pattern["type"] == "RegularExpression":
                return not _fits(pattern["value"], text["value"])
            return bool(pattern["type"] == "Exact" and text["value"] != pattern["value"])
    return False


def _fits(pattern: str, text: str) -> bool:
    """Return whether an expression matches the whole text, also if it is too large to compile (cookies)."""
    try:
        return matches(pattern, text)
    except InvalidRegexError:
        return True
