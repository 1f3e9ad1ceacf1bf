"""Services of one stack and their ways in: HTTPS, client certificates, redirects, Gateways, the mesh.

All of it by Istio's own objects, and by the Kubernetes Gateway API: the same tests, the same laws.
"""

import ssl
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.certificates import Authority
from tests.e2e.conftest import CHECKOUT, Shell, Stack, stacks_in
from tests.e2e.traffic import SETTLE_SECONDS, ask, ask_until

HTTP, HTTPS = "http://127.0.0.1:31380/hello", "https://127.0.0.1:31390/hello"
EXTRA = "http://127.0.0.1:31394/hello"
SHOP, CART = "shop.gw.test", "cart.gw.test"

APP = {"image": "xjk27400861/springbootapp", "port": 8080, "probe": "/healthz", "path": "/hello"}
ORDERS = {"image": "lab/orders", "port": 9090, "probe": "/healthz", "path": "/hello"}
TWO = {"v1": {"tag": "42"}, "v2": {"tag": "43"}}

SERVICES: dict[str, Any] = {
    "shop": {
        "app": APP,
        "versions": TWO,
        "weights": {"v1": 100},
        "gateway": {
            "hosts": [SHOP, "*.shop.gw.test"],
            "tls": {"secret": "e2e-gw-shop", "redirect": True},
        },
    },
    "cart": {
        "app": APP,
        "versions": TWO,
        "weights": {"v1": 30, "v2": 70},
        "gateway": {"hosts": [CART], "tls": {"secret": "e2e-gw-cart"}},
        "mesh": True,
    },
    "stock": {"app": APP, "versions": TWO, "weights": {"v1": 50, "v2": 50}, "mesh": "only"},
    "news": {
        "app": ORDERS,
        "versions": {"v1": {"tag": "1.0"}},
        "weights": {"v1": 100},
        "gateway": {"hosts": ["news.shop.gw.test"], "existing": "e2e-gw/shop"},
    },
    "guest": {
        "app": ORDERS,
        "versions": {"v1": {"tag": "2.0"}},
        "weights": {"v1": 100},
        "gateway": {"hosts": ["guest.gw.test"], "existing": "istio-system/e2e-gw-by-hand"},
    },
}
ONE_HOST_EACH: dict[str, Any] = {
    "hosts": [SHOP],
    "tls": {"secret": "e2e-gw-shop", "redirect": True},
    "listeners": [{"hosts": ["*.shop.gw.test"], "tls": {"secret": "e2e-gw-any", "redirect": True}}],
}
"""The shop's gateway where a listener has one host, and each host a certificate of its own."""

BY_HAND = {
    "istio": """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: e2e-gw-by-hand, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [guest.gw.test]}]
""",
    "gateway-api": """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: e2e-gw-by-hand, namespace: istio-system}
spec:
  gatewayClassName: istio
  addresses: [{type: Hostname, value: istio-ingressgateway.istio-system.svc.cluster.local}]
  listeners:
    - name: http
      port: 80
      protocol: HTTP
      hostname: guest.gw.test
      allowedRoutes: {namespaces: {from: All}}
""",
}
"""A Gateway that somebody made by hand."""


def services(api: str, **changes: object) -> dict[str, Any]:
    """What both ways can say of the same services."""
    shop = SERVICES["shop"] | ({"gateway": ONE_HOST_EACH} if api == "gateway-api" else {})
    return {**SERVICES, "shop": shop, **changes}


@dataclass(frozen=True, kw_only=True)
class Running:
    """The stack, and what clients need to talk to it."""

    api: str
    stack: Stack
    authority: Authority
    stranger: Authority

    def https(
        self, server: str, client: tuple[Path, Path] | None = None, host: str | None = None
    ) -> httpx.Response:
        """Ask a server once by HTTPS, as a client that trusts the authority and nobody else."""
        trust = ssl.create_default_context(cafile=str(self.authority.certificate))
        if client is not None:
            trust.load_cert_chain(*client)
        with httpx.Client(verify=trust, trust_env=False, timeout=10) as browser:
            return browser.get(HTTPS, headers={"host": host or server}, extensions={"sni_hostname": server})

    def inside(self, url: str, requests: int) -> Counter[str]:
        """Ask from a pod of the mesh, through its proxy; counts the versions in the answers."""
        answers: Counter[str] = Counter()
        with httpx.Client(trust_env=False, timeout=20, headers={"host": CART}) as browser:
            for _ in range(requests):
                said = browser.get("http://127.0.0.1:31380/fetch", params={"url": url})
                words = said.text.split()
                # "hello from springbootapp v1, pod …"
                answers[words[3].rstrip(",") if said.is_success else f"HTTP {said.status_code}"] += 1
        return answers


@pytest.fixture(scope="module", params=BY_HAND)
def running(
    request: pytest.FixtureRequest, _lab_is_up: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """The stack, the certificates that its Gateways name, and a Gateway that somebody made by hand."""
    api: str = request.param
    shell, folder = Shell(folder=CHECKOUT), tmp_path_factory.mktemp("gateways")
    authority, stranger = (Authority(folder=folder, name=name) for name in ("authority", "stranger"))
    clean = (
        "kubectl delete -n istio-system"
        " secret,gateways.networking.istio.io,gateways.gateway.networking.k8s.io"
        " e2e-gw-shop e2e-gw-any e2e-gw-cart e2e-gw-by-hand --ignore-not-found"
    )
    shell.run(clean)
    for service, *hosts in (
        ("shop", SHOP, "*.shop.gw.test"),
        ("any", "*.shop.gw.test"),
        ("cart", CART),
    ):
        certificate, key = authority.issue(service, *hosts)
        files = f"--from-file=tls.crt={certificate} --from-file=tls.key={key}"
        shell.run(
            f"kubectl create secret generic e2e-gw-{service} -n istio-system {files}"
            f" --from-file=ca.crt={authority.certificate}"
        )
    (folder / "by-hand.yaml").write_text(BY_HAND[api])
    shell.run(f"kubectl apply -f {folder}/by-hand.yaml")
    try:
        with stacks_in(folder) as make:
            stack = make(
                "e2e-gw",
                api=api,
                namespace={"name": "e2e-gw", "injection": "enabled"},
                services=services(api),
                ingress={
                    "address": "127.0.0.1",
                    "extraPorts": [{"port": 8074, "targetPort": 8094, "nodePort": 31394}],
                },
            )
            stack.up()
            yield Running(api=api, stack=stack, authority=authority, stranger=stranger)
    finally:
        shell.run(clean)


def test_outputs_stand_by_service(running: Running) -> None:
    """What to open, for whoever may: HTTPS first, and a service of the mesh alone by its name there."""
    outputs = running.stack.outputs()
    assert outputs["url"] == {
        "shop": HTTPS,
        "cart": HTTPS,
        "stock": "http://stock.e2e-gw:8080/hello",
        "news": HTTPS,
        "guest": HTTP,
    }
    assert outputs["urls"]["shop"] == {"80": HTTP, "443": HTTPS, "8074": EXTRA}
    assert outputs["weights"]["cart"] == {"v1": 30, "v2": 70}


def test_https_answers_with_the_certificate_of_the_secret(running: Running) -> None:
    """A client that trusts its authority is served, by one host and by a wildcard's."""
    for host in (SHOP, "a.shop.gw.test"):
        answer = running.https(host)
        assert (answer.status_code, answer.headers["x-version"]) == (200, "v1")


def test_plain_http_only_shows_the_way_to_https(running: Running) -> None:
    """301 for the hosts of the service that says so, and for nobody else's on the same port."""
    for host in (SHOP, "a.shop.gw.test"):
        answer = httpx.get(HTTP, headers={"host": host}, trust_env=False)
        assert (answer.status_code, answer.headers["location"]) == (301, f"https://{host}/hello")
    assert running.stack
    assert set(ask(HTTP, 20, host=CART)) <= {"v1", "v2"}
    assert set(ask(HTTP, 20)) <= {"v1", "v2"}


def test_hosts_reach_their_service_and_no_other(running: Running) -> None:
    """On a port that is the stack's alone, a host of nobody is answered 404; HTTPS knows no such name."""
    assert ask(EXTRA, 20, host=SHOP) == {"v1": 20}
    assert ask(EXTRA, 20, host="b.shop.gw.test") == {"v1": 20}
    assert set(ask(EXTRA, 20, host=CART)) <= {"v1", "v2"}
    for host in ("other.gw.test", "gw.test", "127.0.0.1", "stock", "stock.e2e-gw.svc.cluster.local", "cart"):
        assert ask(EXTRA, 5, host=host) == {"HTTP 404": 5}, host
    assert running.https(SHOP, host="other.gw.test").status_code == 404
    with pytest.raises(httpx.TransportError):
        running.https("other.gw.test")


def test_each_service_divides_its_own_traffic(running: Running) -> None:
    """Two services on one ingress, each by its own weights."""
    assert running.stack
    assert ask(EXTRA, 100, host=SHOP) == {"v1": 100}
    answers = ask(HTTP, 1000, host=CART)
    # Five standard deviations of 1000 draws.
    assert abs(answers["v1"] - 300) < 73, answers
    assert answers["v1"] + answers["v2"] == 1000, answers


@pytest.mark.parametrize(("host", "version"), [("guest.gw.test", "2.0"), ("news.shop.gw.test", None)])
def test_routes_hang_on_a_gateway_that_is_there(running: Running, host: str, version: str | None) -> None:
    """One that somebody made by hand, and that of another service of the stack, certificate and all."""
    if version:
        assert ask(HTTP, 20, host=host) == {version: 20}
    else:
        assert running.https(host).headers["x-version"] == "1.0"
        assert running.https("elsewhere.shop.gw.test").headers["x-version"] == "v1"


@pytest.mark.parametrize("name", ["svc", "svc.cluster.local"])
def test_callers_in_the_mesh_follow_the_same_weights(running: Running, name: str) -> None:
    """By each of the Service's names; the one that is for the mesh alone too."""
    cart = running.inside(f"http://cart.e2e-gw.{name}:8080/hello", 300)
    assert abs(cart["v1"] - 90) < 40, cart
    assert cart["v1"] + cart["v2"] == 300, cart
    stock = running.inside(f"http://stock.e2e-gw.{name}:8080/hello", 300)
    assert abs(stock["v1"] - 150) < 44, stock
    assert stock["v1"] + stock["v2"] == 300, stock


def test_nothing_is_left_to_say(running: Running) -> None:
    """`istioctl analyze` is silent; a preview and a refresh find what `up` made."""
    for namespace in ("e2e-gw", "istio-system"):
        command = f"istioctl analyze -n {namespace} --output json --failure-threshold Info"
        found = running.stack.shell.json(f"{command} 2>/dev/null")
        assert [each for each in found if "e2e-gw" in str(each)] == []
    running.stack.pulumi("preview --expect-no-changes")
    running.stack.pulumi("refresh --preview-only --expect-no-changes --run-program")


def test_a_weight_change_is_one_changed_object_for_gateway_and_mesh(running: Running) -> None:
    """Law 1: outside and inside follow the same route object, and no other moves."""
    cart = {**SERVICES["cart"], "weights": {"v2": 100}}
    running.stack.configure(services=services(running.api, cart=cart))
    said = running.stack.pulumi("preview --diff").stdout
    assert "1 to update" in said, said
    assert "to create" not in said, said
    running.stack.up()
    assert ask_until(HTTP, 50, lambda seen: set(seen) == {"v2"}, host=CART) == {"v2": 50}
    assert running.inside("http://cart.e2e-gw.svc:8080/hello", 50) == {"v2": 50}


def test_mutual_tls_leaves_no_way_in_without_a_certificate(running: Running) -> None:
    """Clients of the authority alone, and no plain HTTP: where extra ports would stay, it is refused."""
    gateway = {"hosts": [CART], "tls": {"secret": "e2e-gw-cart", "mode": "MUTUAL"}}
    cart = {**SERVICES["cart"], "weights": {"v2": 100}, "gateway": gateway}
    running.stack.configure(services=services(running.api, cart=cart))
    refused = running.stack.pulumi("preview", check=False)
    assert refused.returncode != 0
    assert "MESH265" in refused.stdout, refused.stdout
    running.stack.configure(ingress={"address": "127.0.0.1"})
    running.stack.up()
    answer = running.https(CART, running.authority.issue("client"))
    assert "pod cart-v2" in answer.text, answer.text
    deadline = time.monotonic() + SETTLE_SECONDS
    # Another stack's `*` may answer here, without a certificate and from pods of its own.
    while (seen := _plain(20)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert seen == [], seen
    with pytest.raises(httpx.TransportError):
        running.https(CART)
    with pytest.raises(httpx.TransportError):
        running.https(CART, running.stranger.issue("intruder"))


def _plain(requests: int) -> list[str]:
    """What the cart's pods answer over plain HTTP."""
    answers = [httpx.get(HTTP, headers={"host": CART}, trust_env=False).text for _ in range(requests)]
    return [each for each in answers if "pod cart-" in each]
