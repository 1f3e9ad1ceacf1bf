"""Whether a canary can begin."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from operations.canary.journal.journal import Journal
from operations.canary.journal.run import Canary
from operations.canary.preflight import begin, can_judge
from operations.errors import OperationError
from operations.metrics.errors import MetricsError
from tests.unit.operations.canary.environments import REFUSED, FakeEnvironment
from tests.unit.operations.canary.test_run import NEW
from tests.unit.operations.projects import project

if TYPE_CHECKING:
    from operations.canary.deploy.deployment import Deployment

ASKS = replace(NEW, declared={"checks": [{"query": {"name": "queue", "promql": "max(", "atMost": 1}}]})


def test_a_query_that_prometheus_refuses_is_told_before_anything_begins() -> None:
    """The first step would wait for it forever."""
    with pytest.raises(MetricsError, match="refused"):
        can_judge(FakeEnvironment(values={"queue v1": REFUSED}), ASKS)


@pytest.mark.parametrize("value", [0.5, None], ids=["a value", "no data yet"])
def test_a_query_that_it_takes_is_enough(value: float | None) -> None:
    """Whatever it says: nothing is judged before a step."""
    can_judge(FakeEnvironment(values={"queue v1": value}), ASKS)


def test_without_prometheus_nothing_begins() -> None:
    """Also where the plan has no query of its own."""
    with pytest.raises(MetricsError, match="down"):
        can_judge(FakeEnvironment(prometheus=False), NEW)


class Deployed:
    """A stack whose last update gave v1 everything."""

    def weights(self) -> Mapping[str, int]:
        """Read the output."""
        return {"v1": 100, "v2": 0}


def begun(folder: Path, **keys: object) -> Canary:
    """Begin a canary to v2 of a service with some keys."""
    config = {f"mesh-app:{key}": value for key, value in ({"weights": {"v1": 100, "v2": 0}} | keys).items()}
    one, _ = begin(
        project(folder, "prod", config),
        "prod",
        "v2",
        service=NEW.service,
        deployment=cast("Deployment", Deployed()),
        record=Journal(folder=folder),
    )
    return one


TAX = {"name": "tax", "uri": {"prefix": "/tax/"}, "rewrite": {"uri": "/v1/"}}
GONE = {"name": "gone", "uri": "/gone", "redirect": {"uri": "/"}}
LEGACY = {"name": "legacy", "uri": "/legacy", "headers": {"x-a": "b"}, "to": "v1", "timeout": "9s"}
BETA = {"name": "beta", "anyOf": [{"uri": "/b"}], "to": {"v1": 20, "v2": 80}}


def test_routes_that_do_not_follow_are_found(tmp_path: Path) -> None:
    """By a `to` of their own: with what they take, and where it goes."""
    one = begun(tmp_path, routes=[TAX, GONE, LEGACY, BETA])
    assert list(map(str, one.fixed)) == [
        "legacy {headers: {x-a: b}, uri: /legacy} → v1",
        "beta {anyOf: [{uri: /b}]} → v1 20 · v2 80",
    ]


@pytest.mark.parametrize(
    ("keys", "divided"),
    [
        ({}, True),
        ({"routes": [TAX, GONE]}, True),
        ({"routes": [TAX, LEGACY]}, False),
        ({"routes": [TAX | {"mirror": {"to": "v2"}}]}, False),
        ({"mirror": {"to": "v2"}}, False),
        ({"sticky": {"cookie": "a"}}, False),
    ],
)
def test_the_split_is_judged_where_the_weights_alone_divide(
    keys: Mapping[str, Any], divided: bool, tmp_path: Path
) -> None:
    """Routes that follow them do not divide anything otherwise."""
    assert begun(tmp_path, **keys).divided is divided


@pytest.mark.parametrize(
    ("keys", "named"),
    [
        ({"routes": [TAX, LEGACY]}, "mesh-app:routes[1].to"),
        ({"routes": [BETA | {"to": {"v1": 0, "v2": 100}}]}, "mesh-app:routes[0].to"),
        ({"routes": [LEGACY | {"inherit": True}]}, "mesh-app:routes[0]"),
        ({"routes": [TAX | {"mirror": {"to": "v1"}}]}, "mesh-app:routes[0].mirror"),
        ({"mirror": {"to": "v1"}}, "mesh-app:mirror"),
    ],
)
def test_old_versions_that_something_names_cannot_be_removed(
    keys: Mapping[str, Any], named: str, tmp_path: Path
) -> None:
    """That is refused before anything begins, with the key and both ways on."""
    with pytest.raises(OperationError) as refused:
        begun(tmp_path, **keys, canary={"removeOld": True})
    assert f"{named} names v1" in refused.value.what
    assert f"pulumi config rm --stack prod --path '{named}'" in refused.value.fix
    assert "pulumi config rm --stack prod --path 'mesh-app:canary.removeOld'" in refused.value.fix


def test_what_names_the_new_version_hinders_no_removal(tmp_path: Path) -> None:
    """It is the one that stays."""
    keys = {"routes": [TAX, GONE, LEGACY | {"to": "v2"}], "mirror": {"to": "v2"}}
    assert begun(tmp_path, **keys, canary={"removeOld": True}).plan.remove_old
