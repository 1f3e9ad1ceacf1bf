"""Who is let in, by real requests: from pods inside the mesh and outside of it, and through the gateway."""

import time
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import MakeStack, Stack
from tests.e2e.stream import Stream
from tests.e2e.tokens import HOUR, Issuer
from tests.e2e.traffic import TIMEOUT_SECONDS

INGRESS = "http://127.0.0.1:31380"
CALLED = "/api/orders"

DRAIN_SECONDS = 50
"""Istio's proxies let connections that are open keep their rules for 45 s, unless they are closed before."""
IN_A_ROW = 20
"""So many answers reach every thread of a proxy, each of which has connections of its own."""


def app(name: str, **version: object) -> dict[str, Any]:
    """One service of a stack: the demo app, which can ask others by `/fetch`."""
    return {
        "app": {"image": "lab/orders", "port": 9090, "probe": "/healthz"},
        "versions": {"v1": {"tag": "1.0", **version}},
        "weights": {"v1": 100},
        "gateway": {"hosts": [f"{name}.e2e-security.example.com"]},
    }


def asked(name: str, path: str, **headers: str) -> httpx.Response:
    """Ask a service through the gateway."""
    host = f"{name}.e2e-security.example.com"
    return httpx.get(
        f"{INGRESS}{path}", headers={"host": host, **headers}, timeout=TIMEOUT_SECONDS, trust_env=False
    )


def answers(name: str, path: str, wanted: int) -> set[int]:
    """Ask many times in a row, again until all get the wanted status or the proxies have had their time."""
    deadline = time.monotonic() + DRAIN_SECONDS
    while True:
        seen = {asked(name, path).status_code for _ in range(IN_A_ROW)}
        if seen == {wanted} or time.monotonic() > deadline:
            return seen


def fetch(path: str) -> str:
    """Let the asked app ask the guarded one."""
    return f"/fetch?url=http://guarded.e2e-security.svc:9090{path}"


def change(stack: Stack, name: str, security: object, seconds: float = 3, **headers: str) -> None:
    """Change one service's security alone, under requests that go on for some seconds: none is lost."""
    services = stack.config["services"]
    services[name] = {**app(name), **({"security": security} if security else {})}
    stack.configure(services=services)
    with Stream(f"{INGRESS}{CALLED}", host=f"{name}.e2e-security.example.com", **headers) as stream:
        stack.up()
        time.sleep(seconds)
    assert not stream.failures, stream.failures[:10]
    assert sum(stream.answers.values()) > 100, stream.answers


def settle(stack: Stack) -> None:
    """Istio has nothing to say about the objects, and there is nothing left to change."""
    assert stack.shell.json(f"istioctl analyze -n {stack.namespace} --output json 2>/dev/null") == []
    stack.pulumi("preview --expect-no-changes")
    stack.pulumi("refresh --preview-only --expect-no-changes --run-program")


def test_callers_are_let_in_by_their_certificates(new_stack: MakeStack) -> None:
    """STRICT, then a list of callers, then neither: switched under load, without a lost request."""
    services = {name: app(name) for name in ("guarded", "friend", "stranger")}
    services["outsider"] = app("outsider", sidecar=False)
    stack = new_stack(
        "e2e-security",
        namespace={"name": "e2e-security"},
        ingress={"address": "127.0.0.1"},
        services=services,
    )
    stack.up()
    for caller in ("friend", "stranger", "outsider"):
        assert answers(caller, fetch(CALLED), 200) == {200}, caller

    change(stack, "guarded", {"mtls": "STRICT"})
    assert answers("outsider", fetch(CALLED), 502) == {502}
    assert asked("outsider", fetch(CALLED)).text.split()[-1] in {"EOF", "peer"}
    (pod,) = stack.shell.pods("e2e-security", "app=guarded")
    with pytest.raises(httpx.TransportError):
        httpx.get(f"http://{pod['status']['podIP']}:9090{CALLED}", timeout=TIMEOUT_SECONDS, trust_env=False)
    assert asked("stranger", fetch(CALLED)).status_code == 200
    settle(stack)

    friends = {"serviceAccounts": ["e2e-security/friend"], "methods": ["GET"], "paths": ["/api/*"]}
    change(stack, "guarded", {"mtls": "STRICT", "allow": {"users": {"gateway": True}, "friends": friends}})
    assert answers("stranger", fetch(CALLED), 403) == {403}
    assert answers("friend", fetch(CALLED), 200) == {200}
    assert answers("friend", fetch("/admin"), 403) == {403}
    assert answers("guarded", "/admin", 200) == {200}
    settle(stack)

    change(stack, "guarded", None)
    for caller in ("friend", "stranger", "outsider"):
        assert answers(caller, fetch(CALLED), 200) == {200}, caller
    # The kubelet's probes have passed all the time.
    (pod,) = stack.shell.pods("e2e-security", "app=guarded")
    assert [each["restartCount"] for each in pod["status"]["containerStatuses"]] == [0]


def test_users_are_let_in_by_their_tokens(new_stack: MakeStack) -> None:
    """Switched on under load, nobody with a token notices; without one it is 403, with a bad one 401."""
    stack = new_stack(
        "e2e-security-tokens",
        namespace={"name": "e2e-security-tokens"},
        ingress={"address": "127.0.0.1"},
        services={"tokens": app("tokens")},
    )
    stack.up()
    assert answers("tokens", CALLED, 200) == {200}
    issuer = Issuer("https://issuer.example.com")
    good = f"Bearer {issuer.token('orders')}"
    jwt = {"issuer": issuer.name, "jwks": issuer.keys, "audiences": ["orders"]}

    change(stack, "tokens", {"mtls": "STRICT", "jwt": jwt}, DRAIN_SECONDS, authorization=good)
    assert answers("tokens", CALLED, 403) == {403}
    bad = {
        "another key": Issuer(issuer.name).token("orders"),
        "another issuer": Issuer("https://other.example.com").token("orders"),
        "too old": issuer.token("orders", lifetime=-HOUR),
        "no token": "x",
    }
    for why, token in bad.items():
        assert asked("tokens", CALLED, authorization=f"Bearer {token}").status_code == 401, why
    for_others = asked("tokens", CALLED, authorization=f"Bearer {issuer.token('billing')}")
    assert (for_others.status_code, for_others.text) == (403, "Audiences in Jwt are not allowed")
    assert asked("tokens", CALLED, authorization=good).status_code == 200
    settle(stack)

    allow = {"public": {"methods": ["GET"], "paths": ["/hello"]}, "users": {"gateway": True}}
    change(stack, "tokens", {"jwt": jwt, "allow": allow}, authorization=good)
    assert asked("tokens", "/hello").status_code == 200
    assert asked("tokens", "/hello", authorization="Bearer x").status_code == 401
    assert asked("tokens", "/other").status_code == 403
    assert asked("tokens", "/other", authorization=good).status_code == 200
    settle(stack)

    change(stack, "tokens", {"jwt": {**jwt, "required": False}}, authorization=good)
    assert answers("tokens", CALLED, 200) == {200}
    assert asked("tokens", CALLED, authorization="Bearer x").status_code == 401
    settle(stack)


def test_no_pod_answers_a_stranger_before_its_policies_or_after_them(new_stack: MakeStack) -> None:
    """From the first moment to the last, though one version's image cannot be pulled and the update fails."""
    good, bad = {"tag": "1.0"}, {"tag": "no-such-tag"}
    stack = new_stack(
        "e2e-security-new",
        namespace={"name": "e2e-security-new"},
        ingress={"address": "127.0.0.1"},
        app={"name": "guarded", "image": "lab/orders", "port": 9090, "probe": "/healthz"},
        versions={"good": good, "bad": bad},
        weights={"good": 100},
        gateway={"hosts": ["new.e2e-security.example.com"]},
        security={"allow": {"users": {"gateway": True}}},
    )
    # The dev stack's app is in the mesh too, with an account of its own.
    stranger = f"{INGRESS}/fetch?url=http://guarded.e2e-security-new.svc:9090{CALLED}"
    with Stream(stranger) as stream:
        said = stack.pulumi("up --yes --skip-preview", check=False)
        assert said.returncode != 0, said.stdout
        (pod,) = stack.shell.pods("e2e-security-new", "version=good")
        assert all(each["ready"] for each in pod["status"]["containerStatuses"])
        stack.pulumi("destroy --yes --skip-preview")
    assert not stream.answers, stream.answers
    assert sum(" 403 RBAC" in each for each in stream.failures) > 100, stream.failures[:10]
