"""Istio's objects, as expected in YAML beside this test."""

from pathlib import Path
from typing import Any

import yaml

from components import routing
from tests.unit.stacks import stack

EXPECTED: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "expected/routing.yaml").read_text())


def test_the_walkthroughs_objects() -> None:
    """A Gateway with the extra port, a subset for each version in a rule of its own, all traffic to v1."""
    read = stack()
    (service,) = read.services
    assert routing.gateway(service, read.ingress) == EXPECTED["walkthrough gateway"]
    assert routing.destination_rule(service, "v1") == EXPECTED["walkthrough destination rule v1"]
    assert routing.virtual_service(service) == EXPECTED["walkthrough virtual service"]


def test_a_weight_change_touches_the_virtual_service_alone() -> None:
    """Law 1: everything else is built without a look at the weights."""
    (before,), (after,) = stack().services, stack(weights={"v1": 37, "v2": 63}).services
    ingress = stack().ingress
    assert routing.gateway(after, ingress) == routing.gateway(before, ingress)
    for version in before.versions:
        assert routing.destination_rule(after, version) == routing.destination_rule(before, version)
    old, new = routing.virtual_service(before), routing.virtual_service(after)
    assert [each["weight"] for each in new["http"][0]["route"]] == [37, 63]
    for spec in (old, new):
        for each in spec["http"][0]["route"]:
            del each["weight"]
    assert new == old


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
    read = stack(
        gateway={"hosts": ["shop.example.com", "*.shop.test"], "port": 8080},
        ingress={"selector": {"istio": "edge"}},
    )
    (service,) = read.services
    assert routing.gateway(service, read.ingress) == EXPECTED["other hosts gateway"]
    assert routing.virtual_service(service)["hosts"] == ["shop.example.com", "*.shop.test"]
