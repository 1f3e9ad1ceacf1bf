"""`python -m operations adopt`: hosts, ports and certificates stay, or the takeover is refused."""

from typing import Any

import pytest

from operations.adoption.app_objects import AppObjects, find_family
from operations.adoption.gateways import gateway
from operations.errors import OperationError
from operations.kube.manifests import Manifest
from tests.unit.operations.test_adopt import walkthrough

HOST = "shop.example.com"
PLAIN = {"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": [HOST]}
SECURE = {
    "port": {"number": 443, "name": "https", "protocol": "HTTPS"},
    "hosts": [HOST],
    "tls": {"mode": "SIMPLE", "credentialName": "shop-cert"},
}
REDIRECT = PLAIN | {"tls": {"httpsRedirect": True}}


def a_gateway(name: str, *servers: dict[str, Any], namespace: str = "team") -> Manifest:
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "Gateway",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"selector": {"istio": "ingressgateway"}, "servers": list(servers)},
    }


def family(
    *gateways: Manifest,
    names: tuple[str, ...] = ("shop",),
    hosts: tuple[str, ...] = (HOST,),
    elsewhere: tuple[Manifest, ...] = (),
) -> AppObjects:
    """The walkthrough's app with these Gateways."""
    objects = [each for each in walkthrough() if each["kind"] != "Gateway"]
    (route,) = [each for each in objects if each["kind"] == "VirtualService"]
    route["spec"] |= {"gateways": list(names), "hosts": list(hosts)}
    return find_family([*objects, *gateways], "team", None, elsewhere)


@pytest.mark.parametrize("servers", [(SECURE, REDIRECT), (REDIRECT, SECURE), (SECURE,)])
def test_certificate_and_redirect_stay(servers: tuple[dict[str, Any], ...]) -> None:
    """In whichever order. Without a plain server nothing is served in plain text, so it redirects."""
    found = gateway(family(a_gateway("shop", *servers)))
    plain = {"port": 80} if len(servers) == 2 else {}
    assert found == {"hosts": [HOST], **plain, "tls": {"secret": "shop-cert", "redirect": True}}


def test_plain_http_beside_a_certificate_stays() -> None:
    """Without a redirect, plain HTTP is served."""
    found = gateway(family(a_gateway("shop", PLAIN, SECURE)))
    assert found == {"hosts": [HOST], "port": 80, "tls": {"secret": "shop-cert"}}


MUTUAL = SECURE | {"tls": {"mode": "MUTUAL", "credentialName": "shop-cert"}}


def test_client_certificates_and_other_ports_stay() -> None:
    """MUTUAL stays MUTUAL, 8443 stays 8443, and no plain HTTP is added."""
    secure = MUTUAL | {"port": {"number": 8443, "protocol": "HTTPS"}}
    found = gateway(family(a_gateway("shop", secure)))
    assert found["tls"] == {"secret": "shop-cert", "mode": "MUTUAL", "port": 8443}
    redirected = gateway(family(a_gateway("shop", MUTUAL, REDIRECT)))
    assert redirected["tls"] == {"secret": "shop-cert", "mode": "MUTUAL", "redirect": True}


@pytest.mark.parametrize("beside", [PLAIN, SECURE | {"hosts": ["shop.example.org"]}])
def test_a_gateway_with_a_server_without_client_certificates_stays(beside: dict[str, Any]) -> None:
    """The stack cannot express it: with MUTUAL every client needs a certificate."""
    found = gateway(family(a_gateway("shop", MUTUAL, beside), hosts=(HOST, "shop.example.org")))
    assert found["existing"] == "team/shop"


def test_hosts_with_a_certificate_of_their_own_are_listeners() -> None:
    """Each group of hosts has its port and certificate."""
    other = SECURE | {"hosts": ["shop.example.org"], "tls": {"mode": "SIMPLE", "credentialName": "org"}}
    found = gateway(family(a_gateway("shop", SECURE, other, PLAIN), hosts=(HOST, "shop.example.org")))
    assert found == {
        "hosts": [HOST],
        "port": 80,
        "tls": {"secret": "shop-cert"},
        "listeners": [{"hosts": ["shop.example.org"], "tls": {"secret": "org", "redirect": True}}],
    }


@pytest.mark.parametrize(
    ("routed", "open_to", "hosts"),
    [
        ((HOST,), ["*"], [HOST]),
        (("*",), [HOST], [HOST]),
        ((HOST,), ["*.example.com"], [HOST]),
        (("*.example.com",), ["team/*"], ["*.example.com"]),
        (("*",), ["*"], ["*"]),
        ((HOST, "www.example.com"), ["./*.example.com"], [HOST, "www.example.com"]),
    ],
)
def test_hosts_are_the_narrower_of_routes_and_servers(
    routed: tuple[str, ...], open_to: list[str], hosts: list[str]
) -> None:
    """No host is added that was not served before."""
    assert gateway(family(a_gateway("shop", PLAIN | {"hosts": open_to}), hosts=routed))["hosts"] == hosts


@pytest.mark.parametrize(
    "server",
    [
        SECURE | {"tls": {"mode": "SIMPLE", "credentialName": "c", "minProtocolVersion": "TLSV1_3"}},
        SECURE | {"tls": {"mode": "SIMPLE", "serverCertificate": "/etc/c", "privateKey": "/etc/k"}},
        SECURE | {"tls": {"mode": "ISTIO_MUTUAL"}},
        SECURE | {"port": {"number": 443, "protocol": "TLS"}, "tls": {"mode": "PASSTHROUGH"}},
        PLAIN | {"bind": "127.0.0.1"},
    ],
)
def test_a_gateway_that_cannot_be_expressed_stays(server: dict[str, Any]) -> None:
    """The stack names it as existing, and leaves it as it is."""
    port = server["port"]["number"]
    expected = {"hosts": [HOST], "existing": "team/shop", "port": port}
    assert gateway(family(a_gateway("shop", server))) == expected


def test_a_gateway_of_another_namespace_stays() -> None:
    """Most clusters have one for all: a second one for the same hosts would take them away."""
    shared = a_gateway("public", SECURE | {"hosts": ["*.example.com"]}, PLAIN, namespace="infra")
    found = gateway(family(names=("infra/public",), elsewhere=(shared,)))
    assert found == {"hosts": [HOST], "existing": "infra/public", "port": 443}


def test_a_gateway_that_routes_of_others_need_stays() -> None:
    """Also in the app's own namespace."""
    other = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": "billing", "namespace": "billing"},
        "spec": {"hosts": ["billing.example.com"], "gateways": ["team/shop"], "http": []},
    }
    found = gateway(family(a_gateway("shop", PLAIN), elsewhere=(other,)))
    assert found == {"hosts": [HOST], "existing": "team/shop", "port": 80}


def test_several_shared_gateways_are_refused() -> None:
    """One of them would lose the app."""
    gateways = tuple(a_gateway(name, PLAIN, namespace="infra") for name in ("public", "private"))
    app = family(names=("infra/public", "infra/private"), elsewhere=gateways)
    with pytest.raises(OperationError, match="Gateway infra/public, Gateway infra/private"):
        gateway(app)


def test_a_missing_gateway_is_refused() -> None:
    """Its ports are unknown."""
    with pytest.raises(OperationError, match="names Gateway infra/public, which does not exist"):
        gateway(family(names=("infra/public",)))
