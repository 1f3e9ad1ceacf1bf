"""Which step the live routes are of."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from operations.canary.plan import Plan
from operations.canary.preview import StepPreviews, stages
from operations.kube.manifests import Manifest
from tests.unit.operations.projects import project

if TYPE_CHECKING:
    from operations.kube.cluster import Cluster


def routes(v2: int) -> Manifest:
    """A VirtualService that gives v2 so many percent."""
    weights = [{"destination": {"subset": each}, "weight": 0} for each in ("v1", "v2")]
    weights[0]["weight"], weights[1]["weight"] = 100 - v2, v2
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": "shop", "namespace": "shops"},
        "spec": {"http": [{"route": weights}]},
    }


class Live:
    """A cluster with one object."""

    def __init__(self, live: Manifest) -> None:
        self._live = live

    def read(self, _wanted: Manifest) -> Manifest:
        """Read it, whatever is asked for."""
        return self._live


PLANNED = StepPreviews(
    now=[routes(0)],
    before=[routes(0)],
    roll_back=[routes(0)],
    steps=[[routes(10)], [routes(30)], [routes(100)]],
)


@pytest.mark.parametrize(("v2", "step"), [(0, -1), (10, 0), (30, 1), (100, 2), (20, None)], ids=str)
def test_the_live_routes_are_of_a_step_or_of_none(v2: int, step: int | None) -> None:
    """By all that the steps change of them."""
    assert PLANNED.deployed_step(cast("Cluster", Live(routes(v2)))) == step


@pytest.mark.parametrize(("v2", "step"), [(7, -1), (0, -1), (10, 0), (8, None)])
def test_weights_of_before_that_are_no_step_are_nobodys_change(v2: int, step: int | None) -> None:
    """The canary began with them, and was killed before its first step was deployed."""
    begun = replace(PLANNED, before=[routes(7)])
    assert begun.deployed_step(cast("Cluster", Live(routes(v2)))) == step


@pytest.mark.parametrize(
    ("gateway", "mesh", "step"),
    [(10, 10, 0), (10, 30, 0), (30, 10, 0), (0, 10, -1), (30, 100, 1), (20, 30, None), (30, 20, None)],
)
def test_of_two_routes_objects_a_killed_update_may_have_changed_one(
    gateway: int, mesh: int, step: int | None
) -> None:
    """With the host `*` callers in the mesh have their own: the canary resumes at the earlier step."""

    def both(one: int, other: int) -> list[Manifest]:
        inside = routes(other)
        return [routes(one), {**inside, "metadata": {**inside["metadata"], "name": "shop.mesh"}}]

    class Two:
        def read(self, wanted: Manifest) -> Manifest:
            return next(each for each in both(gateway, mesh) if each["metadata"] == wanted["metadata"])

    steps = [both(each, each) for each in (10, 30, 100)]
    planned = StepPreviews(now=both(0, 0), before=both(0, 0), roll_back=both(0, 0), steps=steps)
    assert planned.deployed_step(cast("Cluster", Two())) == step


FOLLOWING: dict[str, Any] = {
    "kubernetes:context": "lab",
    "mesh-app:namespace": {"name": "field"},
    "mesh-app:app": {"name": "web", "image": "xjk27400861/springbootapp", "port": 8080, "probe": "/healthz"},
    "mesh-app:versions": {"v1": {"tag": "42"}, "v2": {"tag": "43"}},
    "mesh-app:weights": {"v1": 100, "v2": 0},
    "mesh-app:gateway": {"hosts": ["field.example.com"]},
    "mesh-app:routes": [
        {"name": "tax", "uri": {"prefix": "/tax/"}, "rewrite": {"uri": "/v1/"}},
        {"name": "legacy", "uri": "/legacy", "to": "v1"},
        {"name": "report", "uri": "/report", "timeout": "60s", "retries": {"attempts": 0}},
    ],
}


def test_every_step_moves_the_routes_that_follow_the_weights(tmp_path: Path) -> None:
    """A step with `match` keeps what each of them does, and a route with a version stays at it."""
    plan = Plan.of({"steps": [{"match": {"headers": {"x-user-group": "insider"}}}, 20]})
    planned = stages(
        project(tmp_path, "prod", FOLLOWING), "prod", "web", plan=plan, to="v2", before={"v1": 100, "v2": 0}
    )
    matching, fifth, whole = map(_given, planned.steps)
    stays = {"legacy": {"v1": 100}}
    assert _given(planned.roll_back) == {
        "tax": {"v1": 100},
        **stays,
        "report": {"v1": 100},
        "weights": {"v1": 100},
    }
    assert matching == {
        "canary.tax": {"v2": 100},
        "tax": {"v1": 100},
        **stays,
        "canary.report": {"v2": 100},
        "report": {"v1": 100},
        "canary": {"v2": 100},
        "weights": {"v1": 100},
    }
    split = {"v1": 80, "v2": 20}
    assert fifth == {"tax": split, **stays, "report": split, "weights": split}
    everything = {"v2": 100}
    assert whole == {"tax": everything, **stays, "report": everything, "weights": everything}
    tax, report = (_routes(planned.steps[0])[nth] for nth in (0, 3))
    assert tax["rewrite"] == {"uri": "/v1/"}
    assert (report["timeout"], report["retries"]) == ("60s", {"attempts": 0})


def _routes(objects: Sequence[Manifest]) -> list[dict[str, Any]]:
    (found,) = (each for each in objects if each["kind"] == "VirtualService")
    routes: list[dict[str, Any]] = found["spec"]["http"]
    return routes


def _given(objects: Sequence[Manifest]) -> dict[str, dict[str, int]]:
    """Read what each route gives to which version, in order."""
    return {
        route["name"]: {
            each["destination"]["subset"]: each.get("weight", 100)
            for each in route["route"]
            if each.get("weight", 100)
        }
        for route in _routes(objects)
    }
