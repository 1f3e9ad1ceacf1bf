"""Converts the matches of a route to conditions of the stack file. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

Keys = dict[str, Any]


def conditions(matches: Sequence[Mapping[str, Any]]) -> Keys:
    """Return the conditions of a route: of one match, or `anyOf` for several."""
    if len(matches) == 1:
        return _conditions(matches[0])
    return {"anyOf": [_conditions(each) for each in matches]}


def _conditions(match: Mapping[str, Any]) -> Keys:
    there = {name: _compared(value) or {"present": True} for name, value in match.get("headers", {}).items()}
    absent = {name: {"present": False} for name in match.get("withoutHeaders", {})}
    source = {"namespace": match.get("sourceNamespace"), "labels": match.get("sourceLabels")}
    found = {
        "headers": there | absent,
        "uri": _compared(match.get("uri")),
        "method": _compared(match.get("method")),
        "query": {name: _compared(value) for name, value in match.get("queryParams", {}).items()},
        "authority": _compared(match.get("authority")),
        "source": {key: value for key, value in source.items() if value},
    }
    return {key: value for key, value in found.items() if value}


def _compared(match: Mapping[str, Any] | None) -> object:
    """Convert a string match; an exact one becomes plain text."""
    if match is None or "exact" in match:
        return match and match["exact"]
    return dict(match)
