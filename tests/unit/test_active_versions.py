"""Which versions get requests is read off the routes, as Istio and as the Gateway API write them."""

from typing import Any

import pytest

from components.gateway_api.http_route import http_route
from components.manifests.route_match import Spec
from components.manifests.virtual_service import virtual_service
from components.model.stack import Stack
from components.rollout.active_versions import active_versions
from tests.unit.stacks import stack

THREE = {"v1": {"tag": "1"}, "v2": {"tag": "2"}, "v3": {"tag": "3"}}
INSIDERS = {"name": "insiders", "headers": {"x-user-group": "insider"}, "to": "v2"}
DIVIDED = {"name": "half", "headers": {"x-half": "1"}, "to": {"v2": 50, "v3": 50}}


def spec(of: Stack) -> Spec:
    (service,) = of.services
    return virtual_service(service) if of.api == "istio" else http_route(service, of)


@pytest.mark.parametrize("api", ["istio", "gateway-api"])
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"weights": {"v1": 100}}, {"v1"}),
        ({"weights": {"v1": 90, "v3": 10}}, {"v1", "v3"}),
        ({"weights": {"v1": 100}, "routes": [INSIDERS]}, {"v1", "v2"}),
        ({"weights": {"v1": 100}, "routes": [DIVIDED]}, {"v1", "v2", "v3"}),
        ({"weights": {"v1": 100}, "mirror": {"to": "v3", "percent": 5}}, {"v1", "v3"}),
        ({"weights": {"v1": 100}, "versions": {"v1": {"tag": "1"}}}, {"v1"}),
    ],
)
def test_who_serves(api: str, changes: dict[str, Any], expected: set[str]) -> None:
    """Weights, routes and mirrors count; a weight of 0 does not."""
    of = stack(api=api, **{"versions": THREE, **changes})
    assert active_versions(spec(of), of.services[0]) == expected


@pytest.mark.parametrize("api", ["istio", "gateway-api"])
def test_routes_may_be_older_than_the_stack(api: str) -> None:
    """A version that is gone from the stack file is still named by the routes that were."""
    old = stack(api=api, versions=THREE, weights={"v1": 50, "v3": 50})
    new = stack(api=api, versions={"v1": {"tag": "1"}}, weights={"v1": 100})
    assert active_versions(spec(old), new.services[0]) == {"v1", "v3"}


def test_a_subset_may_be_called_like_a_workload() -> None:
    """A version's name is not cut where a subset carries it."""
    of = stack(versions={"springbootapp-v1": {"tag": "1"}}, weights={"springbootapp-v1": 100})
    assert active_versions(spec(of), of.services[0]) == {"springbootapp-v1"}


def test_no_routes_serve_nobody() -> None:
    """An object that is yet to come sends nothing anywhere."""
    assert active_versions({}, stack().services[0]) == frozenset()
