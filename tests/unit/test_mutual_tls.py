"""Where a stack file asks clients for certificates, no listener lets one in without."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from components.gateway_api import gateway as gateways
from components.manifests import gateway as servers
from components.manifests.route_match import Spec
from components.model.service import Service
from components.model.stack import Stack
from components.settings.errors import ConfigError
from tests.unit.stacks import CART, SHOP, issues, several, stack

EXTRA = [{"port": 8066, "targetPort": 8080, "nodePort": 31386}]


def tls(name: str, mode: str, *, redirect: bool = False, port: int = 443) -> dict[str, Any]:
    """The keys of one listener's HTTPS."""
    return {"tls": {"secret": name, "mode": mode, "redirect": redirect, "port": port}}


LISTENERS: list[dict[str, Any] | None] = [
    None,
    {},
    tls("further", "SIMPLE"),
    tls("further", "SIMPLE", redirect=True),
    tls("further", "MUTUAL"),
    tls("further", "MUTUAL", redirect=True),
    tls("further", "MUTUAL", port=8443),
]
"""What may stand beside the first listener: nothing, plain HTTP, HTTPS of either kind."""

FIRST = [each for each in LISTENERS if each is not None]
HOSTS = [["*.example.com"], ["*"]]


def combinations() -> Iterator[dict[str, Any]]:
    """Every way to write a service's Gateway where one listener at least is MUTUAL."""
    for hosts, first, second in product(HOSTS, FIRST, LISTENERS):
        further = [] if second is None else [{"hosts": ["pay.example.org"], **second}]
        gateway = {"hosts": hosts, **first, **({"listeners": further} if further else {})}
        if any(each.get("tls", {}).get("mode") == "MUTUAL" for each in (gateway, *further)):
            yield gateway


def rendered(service: Service, read: Stack) -> Iterator[tuple[Spec, bool]]:
    """What serves a service at the gateway, and whether it asks for a certificate or redirects."""
    if read.api == "istio":
        for server in servers.gateway(service, read.ingress)["servers"]:
            own = server.get("tls", {})
            yield server, own.get("mode") == "MUTUAL" or own.get("httpsRedirect") is True
        return
    # What hangs on a Gateway for the redirect is the redirect alone.
    for spec in gateways.gateways(service, read).values():
        for listener in spec["listeners"]:
            options = listener.get("tls", {}).get("options", {})
            yield listener, options.get("gateway.istio.io/tls-terminate-mode") == "MUTUAL"


@pytest.mark.parametrize("api", ["istio", "gateway-api"])
def test_no_combination_lets_a_client_in_without_a_certificate(api: str) -> None:
    """Alone or beside another service, with extra ports or without: refused, or every listener asks."""
    seen = {"refused": 0, "accepted": 0}
    for gateway, extra_ports in product(combinations(), ([], EXTRA)):
        pay = {**SHOP, "gateway": gateway}
        joined = {**CART, "gateway": {**CART["gateway"], "existing": "springistiodemo/pay"}}
        for others in ({}, {"cart": CART}, {"cart": joined}):
            ingress = {"address": "127.0.0.1", **({"extraPorts": extra_ports} if extra_ports else {})}
            changes = {"api": api, "ingress": ingress, **several(pay=pay, **others)}
            try:
                read = stack(**changes)
            except ConfigError:
                seen["refused"] += 1
                continue
            seen["accepted"] += 1
            service = next(each for each in read.services if each.app.name == "pay")
            for server, asks in rendered(service, read):
                assert asks, (gateway, server)
    assert seen["accepted"] > 10, seen
    assert seen["refused"] > 100, seen


def test_one_mutual_listener_can_be_declared_in_each_way() -> None:
    """The promise is not kept by refusing everything."""
    for api, first in product(("istio", "gateway-api"), FIRST):
        gateway = {"hosts": ["pay.example.com"], **first}
        found = issues(api=api, gateway=gateway, ingress={"address": "127.0.0.1"})
        assert not found, (gateway, found)
