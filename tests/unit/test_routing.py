"""Istio's objects, as expected in YAML beside this test."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from components import http_rules, routing, servers
from components.errors import ConfigError
from components.model.stack import Stack
from components.settings import parse
from tests.drawn import stack_files, weights
from tests.unit.stacks import stack

HERE = Path(__file__).parent / "expected"
EXPECTED: dict[str, Any] = yaml.safe_load((HERE / "routing.yaml").read_text())
ROUTES: dict[str, Any] = yaml.safe_load((HERE / "routes.yaml").read_text())
SUBSETS: dict[str, Any] = yaml.safe_load((HERE / "subsets.yaml").read_text())

drawn = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def test_the_walkthroughs_objects() -> None:
    """A Gateway with the extra port, a subset for each version in a rule of its own, all traffic to v1."""
    read = stack()
    (service,) = read.services
    assert servers.gateway(service, read.ingress) == EXPECTED["walkthrough gateway"]
    assert routing.destination_rule(service, "v1") == EXPECTED["walkthrough destination rule v1"]
    assert routing.virtual_service(service) == EXPECTED["walkthrough virtual service"]


@pytest.mark.parametrize("case", ROUTES)
def test_routes(case: str) -> None:
    """What a stack file says of routes, and what Istio gets."""
    (service,) = stack(**ROUTES[case]["adds"]).services
    assert routing.virtual_service(service)["http"] == ROUTES[case]["http"]


@pytest.mark.parametrize("case", SUBSETS)
def test_subsets(case: str) -> None:
    """What a stack file says of calls to a version, inside the version's subset."""
    (service,) = stack(**SUBSETS[case]["adds"]).services
    for version in ("v1", "v2"):
        (subset,) = routing.destination_rule(service, version)["subsets"]
        assert subset.get("trafficPolicy") == SUBSETS[case][version]


def test_callers_in_the_mesh_follow_the_same_routes() -> None:
    """One VirtualService for both, so that a weight change stays a change of one object."""
    (service,) = stack(mesh=True, gateway={"hosts": ["shop.example.com"]}).services
    spec = routing.virtual_service(service)
    assert spec["hosts"] == ["shop.example.com", "springbootapp"]
    assert spec["gateways"] == ["springbootapp", "mesh"]


def test_three_versions_keep_their_places() -> None:
    """A version with weight 0 stays in the list, so that the next change is one of numbers."""
    (service,) = stack(versions__v3={"tag": "44"}, weights={"v1": 50, "v3": 50}).services
    assert routing.virtual_service(service)["http"] == EXPECTED["three versions"]


def test_a_single_version_has_no_weight() -> None:
    """Kiali warns about the weight of a lone destination (KIA1104)."""
    (service,) = stack(versions={"only": {"tag": "1"}}, weights={"only": 100}).services
    assert routing.virtual_service(service)["http"] == EXPECTED["one version"]


def test_hosts_and_ports_come_from_the_stack_file() -> None:
    """Two stacks share an ingress by different hosts."""
    gateway = {"hosts": ["shop.example.com", "*.shop.test"], "port": 8080}
    read = stack(gateway=gateway, ingress={"selector": {"istio": "edge"}})
    (service,) = read.services
    assert servers.gateway(service, read.ingress) == EXPECTED["other hosts gateway"]
    assert routing.virtual_service(service)["hosts"] == ["shop.example.com", "*.shop.test"]


@drawn
@given(stack_files(), st.data())
def test_a_weight_change_touches_the_virtual_service_alone(
    config: dict[str, Any], data: st.DataObject
) -> None:
    """Law 1, for whatever the stack file says besides."""
    before = sound(config)
    changed = config | {"mesh-app:weights": data.draw(weights(list(before.services[0].versions)))}
    after = sound(changed)
    (old,), (new,) = before.services, after.services
    assert servers.gateway(new, after.ingress) == servers.gateway(old, before.ingress)
    for version in old.versions:
        assert routing.destination_rule(new, version) == routing.destination_rule(old, version)


@drawn
@given(stack_files())
def test_every_route_leads_to_subsets_that_are_there(config: dict[str, Any]) -> None:
    """Law 2, whatever the stack file says: known subsets, whole shares, no match for everything."""
    (service,) = sound(config).services
    subsets = {
        routing.destination_rule(service, version)["subsets"][0]["name"] for version in service.versions
    }
    *above, last = routing.virtual_service(service)["http"]
    assert last["name"] == http_rules.WEIGHTS
    assert "match" not in last
    for route in above:
        assert route["match"]
        assert all(route["match"]), route["name"]
    for route in (*above, last):
        destinations = [each["destination"]["subset"] for each in route.get("route", [])]
        destinations += [route["mirror"]["subset"]] if "mirror" in route else []
        assert set(destinations) <= subsets
        shares = [each["weight"] for each in route.get("route", []) if "weight" in each]
        assert sum(shares) in ({100} if len(route.get("route", [])) > 1 else {0})


def sound(config: Mapping[str, Any]) -> Stack:
    """Parse a drawn stack file; the few that break a rule are another test's business."""
    try:
        return parse(config)
    except ConfigError:
        assume(condition=False)
        raise
