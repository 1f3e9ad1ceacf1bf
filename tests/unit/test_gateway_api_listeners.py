"""The ways in by the Kubernetes Gateway API: certificates, ports, the redirect, Gateways that are there."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from components.gateway_api import gateway
from components.manifests.route_match import Spec
from components.model.stack import Stack
from tests.unit.stacks import CART, GONE, SHOP, several, stack

CASES: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "expected/gateway_api_ways.yaml").read_text())
API = "gateway-api"
OWN = "springbootapp-springistiodemo-790b86"


def listeners(read: Stack) -> dict[str, list[Spec]]:
    """What is written beyond what all listeners have in common."""
    (service,) = read.services
    written = {**gateway.gateways(service, read), **gateway.redirect_gateways(service, read)}
    return {
        name.removeprefix(OWN): [
            {key: value for key, value in each.items() if key != "allowedRoutes"}
            for each in spec["listeners"]
        ]
        for name, spec in written.items()
    }


@pytest.mark.parametrize("case", CASES)
def test_ways_in(case: str) -> None:
    """A listener for each host and port; those that redirect stand in a Gateway of their own."""
    assert listeners(stack(api=API, **CASES[case]["adds"])) == CASES[case]["gateways"]


def test_every_gateway_stands_on_the_ingress_and_lets_in_the_stacks_namespace_alone() -> None:
    """Those for the redirect too."""
    tls = {"secret": "shop-certificate", "redirect": True}
    read = stack(api=API, gateway={"hosts": ["a.b"], "tls": tls})
    (service,) = read.services
    for name, spec in {
        **gateway.gateways(service, read),
        **gateway.redirect_gateways(service, read),
    }.items():
        front = "extra-31386-springistiodemo" if name.endswith("-extra") else "istio-ingressgateway"
        assert [each["value"] for each in spec["addresses"]] == [f"{front}.istio-system.svc.cluster.local"]
        for listener in spec["listeners"]:
            only = listener["allowedRoutes"]["namespaces"]["selector"]["matchLabels"]
            assert only == {"kubernetes.io/metadata.name": "springistiodemo"}


def test_the_redirect_is_a_route_of_its_own() -> None:
    """It takes every request of its Gateway; the service's route hangs on the others."""
    tls = {"secret": "shop-certificate", "redirect": True}
    read = stack(api=API, gateway={"hosts": ["a.b"], "tls": tls}, ingress__extraPorts=GONE)
    (service,) = read.services
    (redirecting,) = gateway.redirect_gateways(service, read)
    route = gateway.redirect_route(read, redirecting)
    assert [parent["name"] for parent in route["parentRefs"]] == [redirecting]
    assert route["rules"][0]["filters"] == [
        {"type": "RequestRedirect", "requestRedirect": {"scheme": "https", "statusCode": 301}}
    ]
    assert [parent["name"] for parent in gateway.parents(service, read)] == [OWN]


def test_a_route_hangs_on_a_gateway_that_is_there() -> None:
    """By its name, and the stack makes none."""
    read = stack(api=API, gateway={"hosts": ["a.b"], "existing": "edge/shared"}, ingress={})
    (service,) = read.services
    assert gateway.gateways(service, read) == gateway.redirect_gateways(service, read) == {}
    assert gateway.parents(service, read) == [
        {"group": "gateway.networking.k8s.io", "kind": "Gateway", "namespace": "edge", "name": "shared"}
    ]


def test_a_service_joins_the_gateways_of_another() -> None:
    """By the name that they have with Istio's own objects: the same stack file, one switch."""
    shop = {**SHOP, "gateway": {"hosts": ["*.example.com"], "tls": {"secret": "a", "redirect": True}}}
    cart = {**CART, "gateway": {"hosts": ["cart.example.com"], "existing": "springistiodemo/shop"}}
    read = stack(api=API, **several(shop=shop, cart=cart))
    owner, guest = sorted(read.services, key=lambda each: not each.owns_gateway)
    assert gateway.parents(guest, read) == gateway.parents(owner, read)
    assert {parent["name"] for parent in gateway.parents(guest, read)} == set(gateway.gateways(owner, read))


def test_the_gateway_of_the_extra_ports_leads_to_their_service_by_the_name_that_it_has() -> None:
    """One that an older version of the program made keeps its name."""
    read = stack(api=API)
    spec = gateway.gateways(read.services[0], read)[f"{OWN}-extra"]
    addressed = gateway.addressed(spec, "extra-31386-springistiodemo", "shop-shop-790b86")
    assert addressed["addresses"][0]["value"] == "shop-shop-790b86.istio-system.svc.cluster.local"
    assert {**addressed, "addresses": spec["addresses"]} == spec
