"""What becomes of a path, by Envoy's own rules applied to what the program writes."""

from collections.abc import Mapping
from typing import Any

import pytest
import re2

from components.manifests import virtual_service
from components.schema.regex import compiled
from tests.unit.stacks import issues, stack

LETTERS = {"/api": "/", "/api/": "/", "/api/x": "/x", "/apix": "/x", "/api/x/": "/x/", "/api/api/x": "/api/x"}

CASES: list[tuple[dict[str, Any], str, Mapping[str, str]]] = [
    ({"uri": {"prefix": "/api"}}, "/", LETTERS),
    ({"uri": {"prefix": "/api/"}}, "/", {"/api/": "/", "/api/x": "/x", "/api/x/y": "/x/y"}),
    ({"uri": {"prefix": "/api"}}, "/v2", {"/api": "/v2", "/api/x": "/v2/x", "/apix": "/v2x"}),
    ({"uri": {"prefix": "/api"}}, "/v2/", {"/api": "/v2/", "/api/x": "/v2/x", "/apix": "/v2/x"}),
    ({"uri": {"prefix": "/api/"}}, "/v2", {"/api/": "/v2/", "/api/x": "/v2/x"}),
    ({"uri": {"prefix": "/"}, "headers": {"a": "b"}}, "/v2", {"/": "/v2/", "/x": "/v2/x"}),
    ({"uri": {"prefix": "/a.b"}}, "/", {"/a.b/x": "/x"}),
    ({"uri": "/old"}, "/", {"/old": "/"}),
    ({"uri": {"regex": "/o[a-z]*"}}, "/new", {"/old": "/new"}),
    (
        {"anyOf": [{"uri": {"prefix": "/api"}}, {"uri": {"prefix": "/v1/"}}, {"uri": "/health"}]},
        "/",
        {"/api/x": "/x", "/v1/x": "/x", "/health": "/", "/api": "/"},
    ),
    (
        {"anyOf": [{"uri": {"prefix": "/api/"}}, {"uri": {"prefix": "/v1"}}, {"uri": {"regex": "/z+"}}]},
        "/v2",
        {"/api/x": "/v2/x", "/v1/x": "/v2/x", "/v1x": "/v2x", "/zz": "/v2"},
    ),
]


@pytest.mark.parametrize(("conditions", "to", "paths"), CASES)
def test_one_slash_stands_between_the_new_path_and_the_rest(
    conditions: dict[str, Any], to: str, paths: Mapping[str, str]
) -> None:
    """As the Gateway API's ReplacePrefixMatch has it, with prefixes that are compared by letters."""
    route = {"name": "moved", "to": "v2", "rewrite": {"uri": to}, **conditions}
    (service,) = stack(routes=[route]).services
    written = virtual_service.virtual_service(service)["http"][0]
    assert {path: rewritten(path, written) for path in paths} == paths


def rewritten(path: str, route: dict[str, Any]) -> str:
    """Do as Envoy does: the first match decides, and a prefix is replaced by letters."""
    rewrite = route["rewrite"]
    if "uriRegexRewrite" in rewrite:
        written = rewrite["uriRegexRewrite"]
        compiled(written["match"])
        return str(re2.sub(written["match"], written["rewrite"], path))
    for match in route["match"]:
        prefix = match["uri"].get("prefix")
        if prefix is not None and path.startswith(prefix):
            return str(rewrite["uri"] + path.removeprefix(prefix))
    return str(rewrite["uri"])


def test_what_is_right_by_letters_stays_as_it_is_written() -> None:
    """No expression where Envoy's own rewrite does the same."""
    (service,) = stack(
        routes=[{"name": "a", "to": "v2", "uri": {"prefix": "/a/"}, "rewrite": {"uri": "/b/"}}]
    ).services
    assert virtual_service.virtual_service(service)["http"][0]["rewrite"] == {"uri": "/b/"}


def test_a_long_prefix_is_no_error_where_it_becomes_no_expression() -> None:
    """Istio's limit is one of expressions."""
    long = "/" + "a" * 1020
    fitting = {"name": "a", "to": "v2", "uri": {"prefix": long}, "rewrite": {"uri": "/b"}}
    assert not issues(routes=[fitting])
    assert [each.code for each in issues(routes=[{**fitting, "rewrite": {"uri": "/"}}])] == ["MESH227"]
