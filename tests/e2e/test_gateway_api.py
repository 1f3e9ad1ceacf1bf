"""The same policy by the Kubernetes Gateway API, on the same ingress, with traffic."""

from typing import Any

import httpx
import pytest

from tests.e2e.conftest import MakeStack, Stack
from tests.e2e.stream import Stream
from tests.e2e.traffic import ask, ask_until

URL = "http://127.0.0.1:31380/hello"
NAMESPACE = "e2e-gwapi"
HOST = "gwapi.example.com"
V1, V2 = {"tag": "42"}, {"tag": "43"}


def settings(name: str = NAMESPACE, host: str = HOST, **changes: object) -> dict[str, Any]:
    usual = {
        "api": "gateway-api",
        "namespace": {"name": name, "injection": "enabled"},
        "app": {
            "name": "gwapp",
            "image": "xjk27400861/springbootapp",
            "port": 8080,
            "probe": "/hello",
        },
        "versions": {"v1": V1, "v2": V2},
        "weights": {"v1": 100, "v2": 0},
        "gateway": {"hosts": [host]},
        "ingress": {"address": "127.0.0.1"},
    }
    return usual | changes


def clean(stack: Stack) -> None:
    """Nothing to do, nothing drifted, nothing that Istio would say."""
    stack.pulumi("preview --expect-no-changes")
    stack.pulumi("refresh --preview-only --expect-no-changes --run-program")
    for namespace in (stack.namespace, "istio-system"):
        command = f"istioctl analyze -n {namespace} --output json --failure-threshold Info 2>/dev/null"
        assert stack.shell.json(command) == []


def test_a_stack_from_its_first_request_to_its_last(new_stack: MakeStack) -> None:
    """Split by weight on both ports; a weight change is one object; nothing is left behind."""
    ports = [{"port": 8072, "targetPort": 8092, "nodePort": 31392}]
    stack = new_stack(
        NAMESPACE,
        **settings(weights={"v1": 70, "v2": 30}, ingress={"address": "127.0.0.1", "extraPorts": ports}),
    )
    stack.up()
    outputs = stack.outputs()
    assert outputs["urls"] == {"80": URL, "8072": "http://127.0.0.1:31392/hello"}
    for url in outputs["urls"].values():
        ask_until(url, 50, lambda seen: set(seen) == {"v1", "v2"}, host=HOST)
    answers = ask(URL, 1000, host=HOST)
    assert answers["v1"] + answers["v2"] == 1000, answers
    assert abs(answers["v1"] - 700) < 73, answers  # five standard deviations
    assert ask("http://127.0.0.1:31392/hello", 50, host=HOST).keys() == {"v1", "v2"}
    assert ask(URL, 50) == {"v1": 50}, "dev's users notice nothing"
    clean(stack)

    stack.configure(weights={"v1": 0, "v2": 100})
    steps = stack.shell.json(f"pulumi preview --stack {NAMESPACE} --json 2>/dev/null")["steps"]
    changed = [step["urn"].rpartition("$")[2] for step in steps if step["op"] not in ("same", "read")]
    assert changed == ["kubernetes:gateway.networking.k8s.io/v1:HTTPRoute::gwapp"]
    stack.up()
    assert ask_until(URL, 50, lambda seen: set(seen) == {"v2"}, host=HOST) == {"v2": 50}

    stack.pulumi("destroy --yes --skip-preview")
    kinds = "gateways.gateway.networking.k8s.io,httproutes.gateway.networking.k8s.io,services"
    left = stack.shell.json(f"kubectl get {kinds} --all-namespaces -o json")["items"]
    assert [each["metadata"]["name"] for each in left if "gwapp" in each["metadata"]["name"]] == []


def test_versions_come_and_go_without_a_lost_request(new_stack: MakeStack) -> None:
    """A version is added with half of the traffic, and taken away from under it."""
    stack = new_stack("e2e-gwapi-stream", **settings("e2e-gwapi-stream", "gwapi-stream.example.com"))
    stack.up()
    host = "gwapi-stream.example.com"
    ask_until(URL, 20, lambda seen: set(seen) == {"v1"}, host=host)
    changes: list[dict[str, Any]] = [
        {"versions": {"v1": V1, "v2": V2, "next": V2}, "weights": {"v1": 50, "next": 50}},
        {"versions": {"v1": V1, "v2": V2}, "weights": {"v1": 50, "v2": 50}},
    ]
    with Stream(URL, host=host) as stream:
        for change in changes:
            before = sum(stream.answers.values())
            stack.configure(**change)
            stack.up()
            assert ask_until(URL, 20, lambda seen: set(seen) == {"v1", "v2"}, host=host)
            assert sum(stream.answers.values()) > before + 50
            assert stream.failures == [], change
    clean(stack)


ROUTES: list[dict[str, Any]] = [
    {"name": "moved", "uri": "/old", "redirect": {"scheme": "https", "authority": "a.b", "uri": "/new"}},
    {"name": "greet", "uri": "/greet", "rewrite": {"uri": "/hello"}, "to": "v2"},
    {"name": "insiders", "headers": {"x-group": "insider"}, "to": "v2"},
    {"name": "mobile", "headers": {"user-agent": {"regex": ".*Mobile/14.*"}}, "to": "v2"},
    {"name": "beta", "cookies": {"beta": {"prefix": "y"}}, "to": "v2"},
    {"name": "query", "query": {"beta": {"regex": "[0-9]+"}}, "to": "v2"},
    {"name": "letters", "uri": {"prefix": "/hel"}, "headers": {"x-letters": "1"}, "to": "v1"},
    {"name": "below", "headers": {"x-below": "1"}, "to": "v2"},
]

REQUESTS: list[tuple[str, dict[str, str], str]] = [
    ("", {}, "v1"),
    ("", {"x-group": "insider"}, "v2"),
    ("", {"x-group": "insiders"}, "v1"),
    ("", {"user-agent": "A Mobile/14.1"}, "v2"),
    ("", {"cookie": "a=b; beta=yes"}, "v2"),
    ("", {"cookie": "beta=no"}, "v1"),
    ("?beta=7", {}, "v2"),
    ("?beta=x", {}, "v1"),
    ("", {"x-below": "1"}, "v2"),
    ("", {"x-below": "1", "x-letters": "1"}, "v1"),
    ("", {"x-below": "1", "x-letters": "1", "x-group": "insider"}, "v2"),
    ("", {"x-user-team": "shop"}, "v1"),
]


@pytest.fixture
def routed(new_stack: MakeStack) -> Stack:
    """A stack with a route of every kind, and the same by Istio's own objects to compare with."""
    changes = {"routes": ROUTES, "responseHeaders": {"set": {"x-team": "shop"}}, "mesh": True}
    stack = new_stack(
        "e2e-gwapi-routes", **settings("e2e-gwapi-routes", "gwapi-routes.example.com", **changes)
    )
    stack.up()
    return stack


def test_every_route_takes_what_it_takes_by_istios_own_objects(routed: Stack) -> None:
    """In the order of the list, by either switch: each request arrives where it should, and only there."""
    host = "gwapi-routes.example.com"
    for api in ("gateway-api", "istio"):
        routed.configure(api=api)
        routed.up()
        assert ask_until(URL, 5, lambda seen: set(seen) == {"v2"}, host=host, **{"x-group": "insider"})
        found = {
            (path, *headers.items()): set(ask(URL + path, 5, host=host, **headers))
            for path, headers, _ in REQUESTS
        }
        assert found == {(path, *headers.items()): {to} for path, headers, to in REQUESTS}, api
        root = URL.removesuffix("/hello")
        assert ask(f"{root}/greet", 5, host=host) == {"v2": 5}
        with httpx.Client(trust_env=False, headers={"host": host}) as client:
            moved = client.get(f"{root}/old")
            assert (moved.status_code, moved.headers["location"]) == (301, "https://a.b/new")
            assert client.get(URL).headers["x-team"] == "shop"
            inside = client.get(f"{root}/fetch?url=http://gwapp.e2e-gwapi-routes.svc:8080/hello")
            assert "springbootapp v1" in inside.text
        routed.configure(weights={"v1": 0, "v2": 100})
        routed.up()
        ask_until(URL, 5, lambda seen: set(seen) == {"v2"}, host=host)
        inside = httpx.get(
            f"{root}/fetch?url=http://gwapp.e2e-gwapi-routes.svc:8080/hello",
            headers={"host": host},
            trust_env=False,
        )
        assert "springbootapp v2" in inside.text, "callers in the mesh follow the weights"
        routed.configure(weights={"v1": 100, "v2": 0})
        routed.up()
        ask_until(URL, 5, lambda seen: set(seen) == {"v1"}, host=host)


def test_a_cookie_keeps_users_at_their_version(new_stack: MakeStack) -> None:
    """A client that sends its cookie back stays; new ones are divided."""
    changes = {"sticky": {"cookie": "team"}, "weights": {"v1": 50, "v2": 50}}
    stack = new_stack(
        "e2e-gwapi-sticky", **settings("e2e-gwapi-sticky", "gwapi-sticky.example.com", **changes)
    )
    stack.up()
    ask_until(URL, 1, lambda seen: set(seen) <= {"v1", "v2"}, host="gwapi-sticky.example.com")
    seen = [ask(URL, 20, host="gwapi-sticky.example.com") for _ in range(20)]
    assert all(len(answers) == 1 for answers in seen), seen
    assert {version for answers in seen for version in answers} == {"v1", "v2"}
