"""The way in, as expected in YAML beside this test."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from components.manifests import gateway as servers
from components.manifests import ingress, virtual_service
from components.manifests.listeners import shown
from tests.unit.stacks import CART, GONE, SHOP, issues, several, stack

EXPECTED: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "expected/gateways.yaml").read_text())


@pytest.mark.parametrize("case", EXPECTED)
def test_gateways(case: str) -> None:
    """What a stack file says of the way in, and what Istio gets."""
    expected = EXPECTED[case]
    read = stack(**{"mesh": False, **expected["adds"]})
    (service,) = read.services
    assert service.owns_gateway == (expected["gateway"] is not None)
    if service.owns_gateway:
        assert servers.gateway(service, read.ingress) == expected["gateway"]
    spec = virtual_service.virtual_service(service)
    assert (spec["hosts"], spec["gateways"]) == (expected["hosts"], expected["gateways"])


@pytest.mark.parametrize(
    ("gateway", "port"),
    [
        ({"hosts": ["a.b"]}, "80"),
        ({"hosts": ["a.b"], "port": 8080}, "8080"),
        ({"hosts": ["a.b"], "tls": {"secret": "a"}}, "443"),
        ({"hosts": ["a.b"], "existing": "edge/shared"}, "80"),
        ({"hosts": ["a.b"], "existing": "edge/shared", "port": 443}, "443"),
        ({"hosts": ["a.b"], "listeners": [{"hosts": ["c.d"], "tls": {"secret": "a"}}]}, "80"),
    ],
)
def test_the_url_to_open_is_that_of_the_first_listener(gateway: object, port: str) -> None:
    """With HTTPS, where it has that."""
    read = stack(gateway=gateway, ingress__extraPorts=GONE)
    (service,) = read.services
    assert ingress.opened(service, shown(service, read)) == port


def test_a_service_that_joins_anothers_gateway_shows_the_ways_of_that_one() -> None:
    """Those that lead to its host: with HTTPS, where they have that."""
    further = [{"hosts": ["*.example.org"], "port": 8080}]
    shop = {"hosts": ["*.example.com"], "tls": {"secret": "a", "redirect": True}, "listeners": further}
    cart = {"hosts": ["cart.example.com"], "existing": "springistiodemo/shop"}
    read = stack(**several(shop={**SHOP, "gateway": shop}, cart={**CART, "gateway": cart}))
    (guest,) = [service for service in read.services if service.gateway.existing]
    found = shown(guest, read)
    assert [(way.scheme, way.port) for way in found] == [("http", 80), ("https", 443)]
    assert ingress.opened(guest, found) == "443"


@pytest.mark.parametrize(("port", "scheme"), [(80, "http"), (443, "https"), (8080, "http")])
def test_of_somebody_elses_gateway_the_stack_says_the_port(port: int, scheme: str) -> None:
    """Nobody reads it: 443 is HTTPS, as everywhere."""
    gateway = {"hosts": ["a.b"], "existing": "edge/shared", "port": port}
    read = stack(gateway=gateway, ingress={})
    assert [(way.scheme, way.port) for way in shown(read.services[0], read)] == [(scheme, port)]


def test_a_service_of_the_mesh_alone_shows_its_url_there() -> None:
    """What callers inside type."""
    read = stack(mesh="only", gateway={}, ingress={})
    assert ingress.inside_urls(read.services[0], "demo") == {"8080": "http://springbootapp.demo:8080/hello"}


def test_a_host_may_have_both_protocols_and_listeners_may_share_a_port() -> None:
    """Only what Istio could not tell apart is refused."""
    further = [
        {"hosts": ["c.d"], "tls": {"secret": "b"}},
        {"hosts": ["a.b"], "port": 8080, "tls": {"secret": "c", "port": 8443}},
    ]
    assert not issues(gateway={"hosts": ["a.b"], "tls": {"secret": "a"}, "listeners": further})


def test_a_port_speaks_one_protocol_for_all_services() -> None:
    """Whoever says another one later is told, and where the first stands."""
    shop = {**SHOP, "gateway": {**SHOP["gateway"], "port": 443}}
    cart = {**CART, "gateway": {**CART["gateway"], "tls": {"secret": "a"}}}
    (fault,) = issues(**several(shop=shop, cart=cart))
    assert (fault.code, str(fault.path)) == ("MESH153", "mesh-app:services.shop.gateway.port")
    assert "mesh-app:services.cart.gateway.tls.port" in fault.rule


def test_a_service_joins_the_gateway_of_another_by_a_narrower_host() -> None:
    """One certificate for a domain, a service for some of its hosts and one for all others."""
    shop = {**SHOP, "gateway": {"hosts": ["*.example.com"], "tls": {"secret": "a"}}}
    cart = {**CART, "gateway": {"hosts": ["cart.example.com"], "existing": "springistiodemo/shop"}}
    assert not issues(**several(shop=shop, cart=cart))
    same = {**CART, "gateway": {"hosts": ["*.example.com"], "existing": "springistiodemo/shop"}}
    assert [fault.code for fault in issues(**several(shop=shop, cart=same))] == ["MESH152"]


def test_hosts_of_all_listeners_meet_on_an_extra_port_once() -> None:
    """One host on two ports is one host of the extra port."""
    gateway = {"hosts": ["a.b"], "listeners": [{"hosts": ["a.b"], "port": 8080}]}
    read = stack(gateway=gateway)
    assert servers.gateway(read.services[0], read.ingress)["servers"][-1]["hosts"] == ["a.b"]
