"""What the rules let pass, beside what `test_messages.py` shows them refuse."""

from typing import Any

import pytest

from tests.unit.stacks import issues

BETA = {"name": "beta", "uri": {"prefix": "/beta"}, "to": "v2"}
INSIDERS = {"name": "insiders", "headers": {"x-user-group": "insider"}, "to": "v2"}


@pytest.mark.parametrize(
    "routes",
    [
        [BETA, {"name": "other", "uri": {"prefix": "/other"}, "to": "v1"}],
        [{**BETA, "uri": {"prefix": "/beta/items"}}, {**BETA, "name": "all-beta"}],
        [{**BETA, "method": "GET"}, {**BETA, "name": "posts", "method": "POST"}],
        [{**BETA, **INSIDERS}, {**BETA, "name": "all-beta"}],
        [INSIDERS, {**INSIDERS, "name": "others", "headers": {"x-user-group": "outsider"}}],
        [
            {**INSIDERS, "headers": {"x-user-group": {"prefix": "in"}}},
            {**INSIDERS, "name": "longer", "headers": {"x-user-group": {"regex": "in.*"}}},
        ],
        [{**INSIDERS, "headers": {}, "anyOf": [{"uri": "/a"}, {"uri": "/b"}]}],
        [{**INSIDERS, "headers": {"a": "1"}, "anyOf": [{"headers": {"b": "1"}}, {"headers": {"b": "2"}}]}],
    ],
)
def test_routes_that_leave_something_for_the_next_are_taken(routes: list[dict[str, Any]]) -> None:
    """Narrower above wider, or beside each other."""
    assert not issues(routes=routes)


@pytest.mark.parametrize(
    "routes",
    [
        [BETA, {**BETA, "name": "again"}],
        [BETA, {**BETA, "name": "exact", "uri": "/beta/items"}],
        [BETA, {**BETA, "name": "insiders", "headers": {"x-user-group": "insider"}}],
        [
            {**INSIDERS, "headers": {"x-user-group": {"present": True}}},
            {**INSIDERS, "name": "exact"},
        ],
        [{**INSIDERS, "headers": {}, "anyOf": [{"uri": {"prefix": "/a"}}, {"uri": "/ab"}]}],
    ],
)
def test_routes_that_nothing_reaches_are_refused(routes: list[dict[str, Any]]) -> None:
    """Dead routes are somebody's mistake, those that Istio does not see among them."""
    assert [fault.code for fault in issues(routes=routes)] == ["MESH131"]


@pytest.mark.parametrize(
    "changes",
    [
        {"versions__v1__disruptionBudget": {"maxUnavailable": 1}},
        {"versions__v1": {"tag": "1", "replicas": 2, "disruptionBudget": {"minAvailable": 1}}},
        {"versions__v1": {"tag": "1", "replicas": 2, "disruptionBudget": {"minAvailable": "50%"}}},
        {
            "versions__v1": {
                "tag": "1",
                "autoscaling": {"min": 3, "max": 3},
                "disruptionBudget": {"minAvailable": 2},
            }
        },
        {
            "versions__v1__resources": {
                "requests": {"cpu": "1", "memory": "512Mi"},
                "limits": {"cpu": "1000m"},
            }
        },
        {"resilience": {"timeout": "1s", "retries": {"attempts": 3, "perTryTimeout": "1000ms"}}},
        {"resilience__retries": {"attempts": 0}},
        {"namespace__injection": "disabled", "versions__v1__sidecar": False},
        {"mesh": True, "gateway": {"hosts": ["*.example.com"]}},
        {"mesh": True, "gateway": {"hosts": ["*"]}},
        {"routes": [{"name": "a", "uri": {"prefix": "/a"}, "redirect": {"uri": "/b/a"}}]},
        {"routes": [{"name": "a", "uri": "/a", "redirect": {"scheme": "https"}}]},
        {"routes": [{"name": "a", "uri": "/a", "redirect": {"uri": "/a", "authority": "c.d"}}]},
        {"versions__v1__locality": {"distribute": [{"from": "a/b", "to": {"a/b/c": 50, "a/b/d": 50}}]}},
    ],
)
def test_values_at_the_edge_are_taken(changes: dict[str, Any]) -> None:
    """Equal is not more, and none is not one."""
    assert not issues(**changes)


def test_a_rule_says_nothing_of_what_could_not_be_read() -> None:
    """One broken condition, cookies that exclude each other, and no stack trace."""
    route = {**INSIDERS, "headers": {"cookie": "a=b"}, "cookies": {"a": 1.5}}
    assert [fault.code for fault in issues(routes=[route, {**INSIDERS, "name": "next"}])] == ["MESH008"]


def test_an_existing_namespace_may_be_kubernetes_own() -> None:
    """The stack uses it and owns nothing but its own objects there."""
    assert not issues(namespace={"name": "default", "existing": True})
