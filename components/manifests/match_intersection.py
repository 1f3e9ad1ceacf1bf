"""Combines the conditions of two routes. Pure: no Pulumi, no cluster."""

from collections.abc import Mapping
from typing import Final, TypeVar

from components.model.http_types import Method
from components.model.route_match import Conditions, Source, TextMatch, UriMatch, ValueMatch
from components.schema.regex import matches

M = TypeVar("M", TextMatch, UriMatch, ValueMatch)
Methods = Method | tuple[Method, ...]

_COOKIE: Final = "cookie"


class DisjointConditions(Exception):
    """No request meets both conditions."""


class InseparableConditions(Exception):
    """Requests may meet both conditions, but one match cannot express that, for the given reason."""


def intersection(one: Conditions, other: Conditions) -> Conditions:
    """Return the conditions for requests that meet both.

    Raises:
        DisjointConditions: no request meets both.
        InseparableConditions: one match cannot express both.
    """
    headers = _values("headers", _lower(one.headers), _lower(other.headers))
    cookies = _values("cookies", one.cookies, other.cookies)
    if cookies and _COOKIE in headers:
        # Cookies become an expression on this header, and a header can have only one.
        raise InseparableConditions("one has conditions on cookies, the other on the header cookie")
    query = {
        name: _text(TextMatch, f"query.{name}", one.query.get(name), other.query.get(name)) or ""
        for name in {**one.query, **other.query}
    }
    return Conditions(
        headers=headers,
        cookies=cookies,
        uri=_text(UriMatch, "uri", one.uri, other.uri),
        method=_method(one.method, other.method),
        query=query,
        authority=_text(TextMatch, "authority", one.authority, other.authority),
        source=_source(one.source, other.source),
    )


def _lower(headers: Mapping[str, str | ValueMatch]) -> dict[str, str | ValueMatch]:
    return {name.lower(): match for name, match in headers.items()}


def _values(
    key: str, one: Mapping[str, str | ValueMatch], other: Mapping[str, str | ValueMatch]
) -> dict[str, str | ValueMatch]:
    merged = {**one, **other}
    for name in one.keys() & other.keys():
        merged[name] = _value(f"{key}.{name}", one[name], other[name])
    return merged


def _value(key: str, one: str | ValueMatch, other: str | ValueMatch) -> str | ValueMatch:
    first, second = _as(ValueMatch, one), _as(ValueMatch, other)
    absent = [each.present is False for each in (first, second)]
    if any(absent):
        if not all(absent):
            raise DisjointConditions
        return one
    if first.present or second.present:
        return other if first.present else one
    return _narrowest(key, first, second)


def _text(kind: type[M], key: str, one: str | M | None, other: str | M | None) -> str | M | None:
    if one is None or other is None:
        return one if other is None else other
    return _narrowest(key, _as(kind, one), _as(kind, other))


def _as(kind: type[M], match: str | M) -> M:
    return kind(exact=match) if isinstance(match, str) else match


def _narrowest(key: str, one: M, other: M) -> M:
    """Return the match that implies the other one."""
    if one == other:
        return one
    for narrow, wide in ((one, other), (other, one)):
        if narrow.exact is not None:
            if not _takes(wide, narrow.exact):
                raise DisjointConditions
            return narrow
    if one.prefix is None or other.prefix is None:
        raise InseparableConditions(f"one match cannot hold two conditions on {key}")
    if one.prefix.startswith(other.prefix):
        return one
    if other.prefix.startswith(one.prefix):
        return other
    raise DisjointConditions


def _takes(match: TextMatch | UriMatch | ValueMatch, text: str) -> bool:
    if match.regex is not None:
        return matches(match.regex, text)
    return text == match.exact or (match.prefix is not None and text.startswith(match.prefix))


def _method(one: Methods | None, other: Methods | None) -> Methods | None:
    if one is None or other is None:
        return one if other is None else other
    first, second = ((each,) if isinstance(each, str) else each for each in (one, other))
    shared = tuple(method for method in first if method in second)
    if not shared:
        raise DisjointConditions
    return shared[0] if len(shared) == 1 else shared


def _source(one: Source | None, other: Source | None) -> Source | None:
    if one is None or other is None:
        return one if other is None else other
    namespaces = {each.namespace for each in (one, other)} - {None}
    labels = {**one.labels, **other.labels}
    if len(namespaces) > 1 or labels != {**other.labels, **one.labels}:
        raise DisjointConditions
    return Source(namespace=next(iter(namespaces), None), labels=labels)
