"""The expressions that cookies become, held against cookie headers as Envoy would."""

import pytest
import re2

from components.manifests import route_match
from components.model.route_match import ValueMatch

ANY = ValueMatch(present=True)


@pytest.mark.parametrize(
    ("cookies", "header", "matches"),
    [
        ({"beta": "1"}, "beta=1", True),
        ({"beta": "1"}, "a=b; beta=1; c=d", True),
        ({"beta": "1"}, "a=b;beta=1", True),
        ({"beta": "1"}, "beta=12", False),
        ({"beta": "1"}, "xbeta=1", False),
        ({"beta": "1"}, "a=beta=1", False),
        ({"beta": "1"}, "a=b", False),
        ({"beta": "1.0"}, "beta=1x0", False),
        ({"beta": ValueMatch(exact="a+b")}, "beta=a+b", True),
        ({"beta": ValueMatch(prefix="a.")}, "beta=a.b; c=d", True),
        ({"beta": ValueMatch(prefix="a.")}, "beta=axb", False),
        ({"beta": ValueMatch(regex="a|b")}, "beta=b", True),
        ({"beta": ValueMatch(regex="a|b")}, "beta=bc", False),
        ({"beta": ValueMatch(regex="(?P<x>a)")}, "beta=a", True),
        ({"beta": ValueMatch(regex="(?P<x>a)"), "b": ValueMatch(regex="(?P<x>c)")}, "b=c; beta=a", True),
        ({"beta": ValueMatch(regex=r"[](?P<x>]\(?P<x>"), "b": "1"}, r"b=1; beta=?(P<x>", True),
        ({"beta": ValueMatch(regex="^a|b$")}, "x=y; beta=b; c=d", True),
        ({"beta": ValueMatch(regex=r"a\\$")}, r"beta=a\; c=d", True),
        ({"beta": ValueMatch(regex=r"a\$")}, "beta=a$; c=d", True),
        ({"beta": ValueMatch(regex="a.*c")}, "beta=abc; x=y", True),
        ({"beta": ValueMatch(regex="a.*c")}, "beta=ab; x=c", False),
        ({"beta": ValueMatch(regex=r"a[.]\.")}, "beta=a..", True),
        ({"beta": ValueMatch(regex=r"a[.]\.")}, "beta=axx", False),
        ({"beta": ANY}, "beta=", True),
        ({"beta": ANY}, "alpha=1", False),
        ({"beta": "1", "team": "x"}, "beta=1; team=x", True),
        ({"beta": "1", "team": "x"}, "team=x; a=b; beta=1", True),
        ({"beta": "1", "team": "x"}, "beta=1; a=b", False),
        ({"a": "1", "b": "2", "c": "3"}, "c=3; x=y; a=1; b=2", True),
        ({"a": "1", "b": "2", "c": "3"}, "c=3; a=1", False),
    ],
)
def test_cookies_are_found_in_any_order(
    cookies: dict[str, str | ValueMatch], header: str, *, matches: bool
) -> None:
    """All of them, whole names and whole values, whatever stands around them."""
    assert bool(re2.fullmatch(route_match.with_cookies(cookies), header)) == matches


@pytest.mark.parametrize(
    ("header", "found"), [("a=1", True), ("x=y; b=2", True), ("xa=1", False), ("x=a", False), ("", False)]
)
def test_absent_cookies_are_found_by_any_of_their_names(header: str, *, found: bool) -> None:
    """The route then takes the requests where nothing is found."""
    assert bool(re2.fullmatch(route_match.any_cookie(["a", "b"]), header)) == found
