"""Conditions of two routes in one: what both ask for, nothing where no request meets both, or a reason."""

from typing import Any

import pytest

from components.manifests.match_intersection import DisjointConditions, InseparableConditions, intersection
from components.model.route_match import Conditions, Source, TextMatch, UriMatch, ValueMatch

X = "x-team"


def header(match: Any) -> Conditions:  # noqa: ANN401 - any match
    return Conditions(headers={X: match})


def cookie(match: Any) -> Conditions:  # noqa: ANN401 - any match
    return Conditions(cookies={X: match})


def uri(match: Any) -> Conditions:  # noqa: ANN401 - any match
    return Conditions(uri=match)


NARROWED = [
    # a condition, one that implies it
    (header(ValueMatch(present=True)), header("a")),
    (header(ValueMatch(present=True)), header(ValueMatch(regex="a.*"))),
    (header(ValueMatch(prefix="a")), header("ab")),
    (header(ValueMatch(prefix="a")), header(ValueMatch(prefix="ab"))),
    (header(ValueMatch(regex="a[bc]")), header("ab")),
    (cookie(ValueMatch(regex="a[bc]")), cookie("ab")),
    (cookie(ValueMatch(present=True)), cookie("ab")),
    (uri(UriMatch(prefix="/a")), uri("/a/b")),
    (uri(UriMatch(regex="/a/[0-9]+")), uri("/a/42")),
    (Conditions(authority=TextMatch(prefix="a.")), Conditions(authority="a.b")),
    (Conditions(query={"q": TextMatch(regex="[0-9]")}), Conditions(query={"q": "1"})),
    (Conditions(method=("GET", "PUT", "POST")), Conditions(method=("GET", "POST"))),
    (Conditions(method=("GET", "PUT")), Conditions(method="PUT")),
    (
        Conditions(source=Source(labels={"a": "b"})),
        Conditions(source=Source(namespace="c", labels={"a": "b"})),
    ),
    (Conditions(), header("a")),
    (Conditions(uri="/a"), Conditions(uri="/a", method="GET", headers={X: "a"})),
]


@pytest.mark.parametrize(("wide", "narrow"), NARROWED)
def test_the_narrower_condition_remains(wide: Conditions, narrow: Conditions) -> None:
    """In whatever order, and with itself."""
    for one, other in ((wide, narrow), (narrow, wide), (narrow, narrow)):
        both = intersection(one, other)
        as_text = {
            name: match.exact if getattr(match, "exact", None) else match
            for name, match in vars(both).items()
            if not isinstance(match, dict)
        }
        assert as_text == {name: getattr(narrow, name) for name in as_text}
        for key in ("headers", "cookies", "query"):
            found = {
                name: getattr(match, "exact", None) or match for name, match in getattr(both, key).items()
            }
            assert found == getattr(narrow, key)


def test_conditions_on_different_things_hold_together() -> None:
    """Header names are compared without case."""
    both = intersection(
        Conditions(headers={"X-Team": "a"}, cookies={"c": "1"}, uri="/a"),
        Conditions(headers={X: "a", "x-b": "b"}, cookies={"d": "2"}, method="GET"),
    )
    assert list(both.headers) == [X, "x-b"]
    assert both.cookies == {"c": "1", "d": "2"}
    assert (both.uri, both.method) == ("/a", "GET")


DISJOINT = [
    (header("a"), header("b")),
    (header(ValueMatch(present=False)), header("b")),
    (header(ValueMatch(prefix="a")), header("b")),
    (header(ValueMatch(prefix="a")), header(ValueMatch(prefix="b"))),
    (header(ValueMatch(regex="[0-9]+")), header("b")),
    (cookie("v1"), cookie("v2")),
    (uri(UriMatch(prefix="/a/")), uri("/a")),
    (Conditions(method="GET"), Conditions(method=("PUT", "POST"))),
    (Conditions(source=Source(namespace="a")), Conditions(source=Source(namespace="b"))),
    (Conditions(source=Source(labels={"a": "b"})), Conditions(source=Source(labels={"a": "c"}))),
]


@pytest.mark.parametrize(("one", "other"), DISJOINT)
def test_conditions_that_no_request_meets_are_told_apart(one: Conditions, other: Conditions) -> None:
    """In whatever order."""
    for pair in ((one, other), (other, one)):
        with pytest.raises(DisjointConditions):
            intersection(*pair)


INSEPARABLE = [
    (header(ValueMatch(regex="a.*")), header(ValueMatch(prefix="a")), "headers.x-team"),
    (header(ValueMatch(regex="a.*")), header(ValueMatch(regex=".*b")), "headers.x-team"),
    (uri(UriMatch(regex="/a.*")), uri(UriMatch(prefix="/a")), "uri"),
    (cookie("a"), Conditions(headers={"Cookie": ValueMatch(regex=".*a.*")}), "cookie"),
]


@pytest.mark.parametrize(("one", "other", "key"), INSEPARABLE)
def test_conditions_that_one_match_cannot_hold_are_named(
    one: Conditions, other: Conditions, key: str
) -> None:
    """Istio has one match for each header, and RE2 no conjunction."""
    for pair in ((one, other), (other, one)):
        with pytest.raises(InseparableConditions, match=key):
            intersection(*pair)
