"""Whatever the routes are: who decides the version decides nothing else, and no route loses a request."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from components.manifests import route_match
from components.manifests.http_rules import HttpRule, http_rules
from components.model.rewrite import Redirect
from components.model.route_match import Match, UriMatch, ValueMatch
from components.model.routes import Route, Sticky
from components.model.service import Service
from tests.unit.stacks import stack

(SERVICE,) = stack(weights={"v1": 60, "v2": 40}).services
STICKY = Sticky(cookie="user")

URIS = st.sampled_from([None, "/a", "/ab", UriMatch(prefix="/a"), UriMatch(prefix="/b")])
VALUES = st.sampled_from(
    [None, "1", ValueMatch(prefix="1"), ValueMatch(present=True), ValueMatch(present=False)]
)
METHODS: st.SearchStrategy[Any] = st.sampled_from([None, "GET", ("GET", "PUT")])


@st.composite
def conditions(draw: st.DrawFn) -> dict[str, Any]:
    """Draw some of everything that two routes can both ask for."""
    drawn = {
        "uri": draw(URIS),
        "headers": {name: value for name in ("x", "y") if (value := draw(VALUES))},
        "cookies": {name: value for name in ("user", "c") if (value := draw(VALUES))},
        "method": draw(METHODS),
    }
    return {key: value for key, value in drawn.items() if value} or {"uri": "/c"}


@st.composite
def routes(draw: st.DrawFn) -> tuple[Route, ...]:
    """Draw routes that follow the weights, that stay somewhere, and that send clients elsewhere."""
    drawn = []
    for nth in range(draw(st.integers(0, 3))):
        aim: dict[str, Any] = draw(
            st.sampled_from([{}, {}, {"to": "v1"}, {"redirect": Redirect(uri="/else")}])
        )
        alternatives = draw(st.lists(conditions(), min_size=1, max_size=2))
        only, several = alternatives[0], tuple(Match(**each) for each in alternatives)
        asked: dict[str, Any] = only if len(alternatives) == 1 else {"any_of": several}
        drawn.append(Route(name=f"route-{nth}", timeout=f"{nth + 1}s", **asked, **aim))
    return tuple(drawn)


REQUESTS = st.fixed_dictionaries(
    {
        "uri": st.sampled_from(["/a", "/ab", "/b", "/c"]),
        "method": st.sampled_from(["GET", "PUT"]),
        "x": st.sampled_from([None, "1", "12", "2"]),
        "y": st.sampled_from([None, "1"]),
        "cookie": st.sampled_from([None, "user=v1", "c=1; user=v2", "user=v9; c=12"]),
    }
)


@settings(max_examples=400, deadline=None)
@given(routes(), st.lists(conditions(), max_size=2), st.booleans(), REQUESTS)
def test_a_decision_about_the_version_changes_nothing_else(
    drawn: tuple[Route, ...], decisions: Sequence[Mapping[str, Any]], bound: bool, request: Mapping[str, Any]
) -> None:
    """The same treatment as without it; the version that it says, where the weights would have divided."""
    deciding = tuple(
        Route(name=f"decision-{nth}", to="v2", inherit=True, **each) for nth, each in enumerate(decisions)
    )
    plain = _taken(replace(SERVICE, routes=drawn), request)
    sticky = STICKY if bound else None
    decided = _taken(replace(SERVICE, routes=(*deciding, *drawn), sticky=sticky), request)
    assert decided.route == plain.route
    user = re.search(r"user=(v[12])", request["cookie"] or "")
    if plain.route and not plain.route.follows:
        assert decided.to == plain.to
    elif any(_meets(route_match.request(each), request) for each in deciding):
        assert decided.to == "v2"
    elif bound and user:
        assert decided.to == user[1]
    else:
        assert decided.to == {"v1": 60, "v2": 40}
        assert decided.cookie == sticky


def _taken(service: Service, request: Mapping[str, Any]) -> HttpRule:
    """Find the first rule that takes a request, as Envoy does."""
    for rule in http_rules(service):
        if not rule.alternatives or any(
            _meets(route_match.request(each), request) for each in rule.alternatives
        ):
            return rule
    raise AssertionError


def _meets(match: route_match.Spec, request: Mapping[str, Any]) -> bool:
    headers = match.get("headers", {}).items()
    absent = match.get("withoutHeaders", {}).items()
    return (
        _fits(match.get("uri"), request["uri"])
        and _fits(match.get("method"), request["method"])
        and all(request[name] is not None and _fits(wanted, request[name]) for name, wanted in headers)
        and not any(
            request[name] is not None and (wanted == route_match.NOTHING or _fits(wanted, request[name]))
            for name, wanted in absent
        )
    )


def _fits(match: Mapping[str, str] | None, text: str) -> bool:
    if match is None or match.get("exact") == text:
        return True
    if "prefix" in match:
        return text.startswith(match["prefix"])
    return "regex" in match and re.fullmatch(match["regex"], text) is not None
