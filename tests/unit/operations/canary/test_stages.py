"""Which step the live routes are of."""

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import pytest

from operations.canary.stages import Stages
from operations.manifests import Manifest

if TYPE_CHECKING:
    from operations.cluster import Cluster


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


PLANNED = Stages(
    now=[routes(0)], before=[routes(0)], back=[routes(0)], steps=[[routes(10)], [routes(30)], [routes(100)]]
)


@pytest.mark.parametrize(("v2", "standing"), [(0, -1), (10, 0), (30, 1), (100, 2), (20, None)], ids=str)
def test_the_live_routes_are_of_a_step_or_of_none(v2: int, standing: int | None) -> None:
    """By all that the steps change of them."""
    assert PLANNED.standing(cast("Cluster", Live(routes(v2)))) == standing


@pytest.mark.parametrize(("v2", "standing"), [(7, -1), (0, -1), (10, 0), (8, None)])
def test_weights_of_before_that_are_no_step_are_nobodys_change(v2: int, standing: int | None) -> None:
    """The canary began with them, and was killed before its first step was deployed."""
    begun = replace(PLANNED, before=[routes(7)])
    assert begun.standing(cast("Cluster", Live(routes(v2)))) == standing
