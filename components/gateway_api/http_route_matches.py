"""The conditions of all routes → the matches of an HTTPRoute's rules."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from components.manifests import route_match
from components.manifests.http_rules import http_rules
from components.manifests.route_match import Spec
from components.model.route_match import Conditions
from components.model.routes import Route
from components.model.service import Service

ANY_URI: Final[Spec] = {"prefix": "/"}
ANY_PATH: Final[Spec] = {"type": "PathPrefix", "value": "/"}
ANY_PATH_BELOW: Final[Spec] = {"type": "RegularExpression", "value": ".*"}
"""Any path, for the rules below one with an expression: Istio tries every prefix before any expression."""

_EXACT: Final = re.compile(r"/(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9a-fA-F]{2})*")
_NOT_EXACT: Final = re.compile(r"//|/\./|/\.\./|%2[fF]|/\.{1,2}$")
"""Texts that the schema of an HTTPRoute refuses in an exact path."""


def of_rules(service: Service) -> list[list[Spec]]:
    """List the matches of each rule: in the order in which they are tried.

    Where a route asks for an expression of the path, every rule below it does, if only for any path at all.
    """
    rules = [_of(rule.alternatives or (Conditions(),)) for rule in http_rules(service)]
    any_path = ANY_PATH
    for rule in rules:
        for match in rule:
            match.setdefault("path", any_path)
        if any(match["path"]["type"] == "RegularExpression" for match in rule):
            any_path = ANY_PATH_BELOW
    return rules


def of_route(route: Route) -> list[Spec]:
    """Return the matches of one route: one for each alternative and method."""
    return _of(route_match.alternatives(route))


def _of(alternatives: Iterable[Conditions]) -> list[Spec]:
    return [
        _match(route_match.request(conditions), method)
        for conditions in alternatives
        for method in _methods(conditions)
    ]


def _methods(conditions: Conditions) -> tuple[str, ...]:
    method = conditions.method
    return method if isinstance(method, tuple) else (method or "",)


def _match(request: Spec, method: str) -> Spec:
    """Convert an HTTPMatchRequest of Istio, in which cookies are already a header."""
    spec = {
        "path": _path(request.get("uri", ANY_URI)),
        "method": method,
        "headers": [_named(name, text) for name, text in request.get("headers", {}).items()],
        "queryParams": [_named(name, text) for name, text in request.get("queryParams", {}).items()],
    }
    return {key: value for key, value in spec.items() if value}


def _path(uri: Mapping[str, str]) -> Spec | None:
    """Return a path match. A PathPrefix compares whole elements: with `/be` it would not match `/beta`."""
    if uri == ANY_URI:
        return None
    exact = uri.get("exact", "")
    if _EXACT.fullmatch(exact) and not _NOT_EXACT.search(exact):
        return {"type": "Exact", "value": exact}
    return {"type": "RegularExpression", "value": _expression(uri)}


def _named(name: str, text: Mapping[str, str]) -> Spec:
    if "exact" in text:
        return {"name": name, "type": "Exact", "value": text["exact"]}
    return {"name": name, "type": "RegularExpression", "value": _expression(text)}


def _expression(text: Mapping[str, str]) -> str:
    if "prefix" in text:
        return f"{re.escape(text['prefix'])}.*"
    return text["regex"] if "regex" in text else re.escape(text["exact"])
