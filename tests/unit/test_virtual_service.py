"""Istio's objects, as expected in YAML beside this test."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from components.manifests import gateway as servers
from components.manifests import http_rules, virtual_service
from components.manifests.destination_rule import destination_rule
from components.model.stack import Stack
from components.settings.errors import ConfigError
from components.settings.load import parse
from tests.drawn import stack_files, weights
from tests.unit.stacks import CART, GONE, SHOP, several, stack

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
    assert destination_rule(service, "v1") == EXPECTED["walkthrough destination rule v1"]
    assert virtual_service.virtual_service(service) == EXPECTED["walkthrough virtual service"]


@pytest.mark.parametrize("case", ROUTES)
def test_routes(case: str) -> None:
    """What a stack file says of routes, and what Istio gets."""
    (service,) = stack(**ROUTES[case]["adds"]).services
    assert virtual_service.virtual_service(service)["http"] == ROUTES[case]["http"]


@pytest.mark.parametrize("case", SUBSETS)
def test_subsets(case: str) -> None:
    """What a stack file says of calls to a version, inside the version's subset."""
    (service,) = stack(**SUBSETS[case]["adds"]).services
    for version in ("v1", "v2"):
        (subset,) = destination_rule(service, version)["subsets"]
        assert subset.get("trafficPolicy") == SUBSETS[case][version]


@pytest.mark.parametrize("further", [[], [{"port": 8080, "hosts": ["shop.example.com"]}]])
def test_where_every_host_is_meant_callers_in_the_mesh_have_the_same_routes_in_an_object_of_their_own(
    further: list[dict[str, Any]],
) -> None:
    """With `*` one object would take the traffic of every service of the mesh."""
    routes = ROUTES["a header route goes above the weights"]["adds"]
    read = stack(gateway={"hosts": ["*"], "listeners": further}, **routes)
    (service,) = read.services
    assert read.mesh_routes(service) == "springbootapp.mesh"
    outside, inside = virtual_service.virtual_service(service), virtual_service.mesh_virtual_service(service)
    assert (outside["hosts"], outside["gateways"]) == (["*"], ["springbootapp"])
    assert inside == {"hosts": ["springbootapp"], "gateways": ["mesh"], "http": outside["http"]}


@pytest.mark.parametrize("mesh", [{}, {"mesh": True}])
def test_callers_in_the_mesh_follow_the_same_routes(mesh: dict[str, Any]) -> None:
    """One VirtualService for both, so that a weight change stays a change of one object."""
    read = stack(gateway={"hosts": ["shop.example.com", "*.shop.test"]}, **mesh)
    (service,) = read.services
    spec = virtual_service.virtual_service(service)
    assert spec["hosts"] == ["shop.example.com", "*.shop.test", "springbootapp"]
    assert spec["gateways"] == ["springbootapp", "mesh"]
    assert read.mesh_routes(service) is None


def test_a_host_of_two_services_is_not_taken_in_the_mesh() -> None:
    """By ports they are apart at the gateway; in the mesh there is one host, and the first would take all."""
    shared = {**SHOP["gateway"], "port": 8080}
    read = stack(**several(shop=SHOP, cart={**CART, "gateway": shared}), ingress__extraPorts=GONE)
    assert {read.mesh_routes(each) for each in read.services} == {"shop.mesh", "cart.mesh"}
    for each in read.services:
        spec = virtual_service.virtual_service(each, mesh_apart=True)
        assert (spec["hosts"], spec["gateways"]) == (["shop.example.com"], [each.app.name])


@pytest.mark.parametrize("changes", [{"mesh": False}, {"mesh": "only", "gateway": {}, "ingress": {}}])
def test_one_kind_of_callers_needs_one_object(changes: dict[str, Any]) -> None:
    """Those at the gateway alone, or those in the mesh alone."""
    read = stack(**changes)
    (service,) = read.services
    assert read.mesh_routes(service) is None
    assert virtual_service.virtual_service(service)["gateways"] == [
        "springbootapp" if service.outside else "mesh"
    ]


def test_three_versions_keep_their_places() -> None:
    """A version with weight 0 stays in the list, so that the next change is one of numbers."""
    (service,) = stack(versions__v3={"tag": "44"}, weights={"v1": 50, "v3": 50}).services
    assert virtual_service.virtual_service(service)["http"] == EXPECTED["three versions"]


def test_a_single_version_has_no_weight() -> None:
    """Kiali warns about the weight of a lone destination (KIA1104)."""
    (service,) = stack(versions={"only": {"tag": "1"}}, weights={"only": 100}).services
    assert virtual_service.virtual_service(service)["http"] == EXPECTED["one version"]


def test_hosts_and_ports_come_from_the_stack_file() -> None:
    """Two stacks share an ingress by different hosts."""
    gateway = {"hosts": ["shop.example.com", "*.shop.test"], "port": 8080}
    read = stack(gateway=gateway, mesh=False, ingress={"selector": {"istio": "edge"}})
    (service,) = read.services
    assert servers.gateway(service, read.ingress) == EXPECTED["other hosts gateway"]
    assert virtual_service.virtual_service(service)["hosts"] == ["shop.example.com", "*.shop.test"]


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
        assert destination_rule(new, version) == destination_rule(old, version)


@drawn
@given(stack_files())
def test_every_route_leads_to_subsets_that_are_there(config: dict[str, Any]) -> None:
    """Law 2, whatever the stack file says: known subsets, whole shares, no match for everything."""
    (service,) = sound(config).services
    subsets = {destination_rule(service, version)["subsets"][0]["name"] for version in service.versions}
    *above, last = virtual_service.virtual_service(service)["http"]
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
