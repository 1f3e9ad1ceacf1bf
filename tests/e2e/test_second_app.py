"""The program is no one-trick program: another app by stack config alone."""

from http.client import HTTPConnection
from typing import Any

from tests.e2e.conftest import MakeStack
from tests.e2e.traffic import TIMEOUT_SECONDS, ask, ask_until

SETTINGS: dict[str, Any] = {
    "namespace": {"name": "e2e-orders", "injection": "enabled"},
    "app": {
        "name": "orders",
        "image": "lab/orders",
        "port": 9090,
        "probe": "/healthz",
        "path": "/api/orders",
    },
    "versions": {"stable": {"tag": "1.0"}, "next": {"tag": "1.1"}, "rewrite": {"tag": "2.0"}},
    "weights": {"stable": 60, "next": 30, "rewrite": 10},
    "gateway": {"hosts": ["orders.example.com"]},
    "security": {"allow": {"users": {"gateway": True, "paths": ["/api/*"]}}},
    "ingress": {
        "address": "127.0.0.1",
        "extraPorts": [{"port": 8067, "targetPort": 8081, "nodePort": 31387}],
    },
}

PATHS = {
    "/api/orders": 200,
    "/api//orders": 200,
    "/api%2Forders": 200,
    "/admin": 403,
    "//admin": 403,
    "/api/../admin": 403,
    "/api/%2e%2e/admin": 403,
    "/api/..%2Fadmin": 403,
    "/api/%2E%2E%5Cadmin": 403,
    "/api/..%5cadmin": 403,
}
"""Paths as a client writes them, and the answer where `/api/*` alone is allowed."""


def asked(path: str) -> int:
    """Ask for a path exactly as it is written; returns the status."""
    connection = HTTPConnection("127.0.0.1", 31380, timeout=TIMEOUT_SECONDS)
    try:
        connection.putrequest("GET", path, skip_host=True)
        connection.putheader("host", "orders.example.com")
        connection.endheaders()
        return connection.getresponse().status
    finally:
        connection.close()


def test_another_name_port_and_three_versions(new_stack: MakeStack) -> None:
    """Three versions share the traffic as configured; the first app's users notice nothing."""
    stack = new_stack("e2e-orders", **SETTINGS)
    stack.up()
    outputs = stack.outputs()
    assert outputs["url"] == "http://127.0.0.1:31380/api/orders"
    assert outputs["namespace"] == "e2e-orders"

    everyone = {"1.0", "1.1", "2.0"}
    ask_until(outputs["url"], 100, lambda seen: set(seen) == everyone, host="orders.example.com")
    answers = ask(outputs["url"], 1000, host="orders.example.com")
    # Five standard deviations of 1000 draws: 77, 72 and 47.
    assert abs(answers["1.0"] - 600) < 77, answers
    assert abs(answers["1.1"] - 300) < 72, answers
    assert abs(answers["2.0"] - 100) < 47, answers
    assert set(answers) == everyone, answers
    assert set(ask(outputs["urls"]["8067"], 50, host="orders.example.com")) <= everyone

    # Who may call what is not passed by the spelling of a path, nor from another pod of the mesh.
    for path, status in PATHS.items():
        assert asked(path) == status, path
    stranger = "http://127.0.0.1:31380/fetch?url=http://orders.e2e-orders.svc:9090/api/orders"
    assert ask(stranger, 5) == {"HTTP 403": 5}

    assert ask("http://127.0.0.1:31380/hello", 50) == {"v1": 50}
    assert stack.shell.json("istioctl analyze -n e2e-orders --output json 2>/dev/null") == []
    stack.pulumi("preview --expect-no-changes")
    stack.pulumi("refresh --preview-only --expect-no-changes --run-program")

    # A version leaves, another takes its share: by stack config alone too.
    stack.configure(
        versions={name: SETTINGS["versions"][name] for name in ("stable", "next")},
        weights={"stable": 0, "next": 100},
    )
    stack.up()
    assert ask_until(outputs["url"], 50, lambda seen: set(seen) == {"1.1"}, host="orders.example.com") == {
        "1.1": 50
    }
    assert len(stack.shell.pods("e2e-orders")) == 2
