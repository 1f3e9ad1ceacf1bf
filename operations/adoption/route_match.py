"""The match requests of a route → its conditions in a stack file. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

Keys = dict[str, Any]


def conditions(matches: Sequence[Mapping[str, Any]]) -> Keys:
    """Say which requests a route takes: one match as it is, several as alternatives."""
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
    """Write the common case, an exact text, as the text."""
    if match is None or "exact" in match:
        return match and match["exact"]
    return dict(match)
