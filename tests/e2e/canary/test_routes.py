"""Routes under a canary: those without a version follow it and keep what they do, the others stay."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final

import httpx
import pytest

from bench import load
from tests.e2e.canaries import Canary
from tests.e2e.canary.proof import PROMOTED, REFUSED
from tests.e2e.canary.setup import HOST, declare_v2
from tests.e2e.conftest import Stack

INGRESS: Final = "http://127.0.0.1:31380"
RATE: Final = 60
"""Requests a second for each path."""
ROUTES: Final[list[dict[str, Any]]] = [
    {"name": "tax", "uri": {"prefix": "/tax/"}, "rewrite": {"uriRegex": {"match": "^/tax/", "rewrite": "/"}}},
    {"name": "report", "uri": "/report", "timeout": "60s", "responseHeaders": {"set": {"x-route": "report"}}},
    {"name": "legacy", "uri": "/legacy", "to": "v1"},
]
INSIDERS: Final = {"match": {"headers": {"x-user-group": "insider"}}, "hold": "4s"}


@pytest.fixture(autouse=True)
def _no_routes_afterwards(canary: Canary) -> Iterator[None]:
    yield
    canary.stack.configure(routes=None)


def test_every_route_without_a_version_is_moved(canary: Canary) -> None:
    """All paths but one are at v2 in the end, and nobody loses a request; the end says what stays."""
    declare_v2(canary.stack, {"steps": [30]})
    canary.stack.configure(routes=ROUTES)
    with _asked("/hello", "/tax/hello", "/report", "/legacy") as loads:
        run = canary.begins()
        assert run.ends() == PROMOTED, run.said
    assert {path: each.report.failures for path, each in loads.items()} == dict.fromkeys(loads, ())
    assert "  legacy {uri: /legacy} → v1\n" in run.said
    assert "promoted: v2 has all the traffic that follows the weights: " in run.said
    assert "; route legacy still goes to v1; weights: v1 0 · v2 100" in run.said
    assert {path: _answered(path) for path in loads} == {path: {"v2"} for path in loads} | {"/legacy": {"v1"}}
    assert _http(canary.stack) == ["tax", "report", "legacy", "weights"]


def test_a_step_with_match_keeps_what_routes_do(canary: Canary) -> None:
    """An insider meets v2 on every path that follows the weights: rewritten, and with the route's headers."""
    declare_v2(canary.stack, {"steps": [INSIDERS | {"pause": True}], "noData": "continue"})
    canary.stack.configure(routes=ROUTES)
    with _asked("/hello") as _:
        run = canary.begins()
        run.description("paused by the plan")
        insider = {"host": HOST, "x-user-group": "insider"}
        healthz = httpx.get(f"{INGRESS}/tax/healthz", headers=insider)
        report = httpx.get(f"{INGRESS}/report", headers=insider)
        assert healthz.text == "ok\n"
        assert (report.headers["x-route"], "v2" in report.text) == ("report", True)
        assert "v1" in httpx.get(f"{INGRESS}/legacy", headers=insider).text
        assert _answered("/report") == {"v1"}
        assert canary.asks("--abort")[0] == 0
        run.ends()
    assert canary.stack.config["routes"] == ROUTES
    assert _http(canary.stack) == ["tax", "report", "legacy", "weights"]


def test_an_old_version_that_a_route_names_is_not_to_be_removed(canary: Canary) -> None:
    """Refused before anything changes."""
    declare_v2(canary.stack, {"removeOld": True})
    canary.stack.configure(routes=ROUTES)
    code, said = canary.asks("--to", "v2", "--yes")
    assert code == REFUSED
    assert "mesh-app:routes[2].to names v1" in said
    assert canary.stack.outputs()["weights"] == {"v1": 100}


@contextmanager
def _asked(*paths: str) -> Iterator[dict[str, load.Load]]:
    with ExitStack() as stack:
        loads = {path: load.Load(f"{INGRESS}{path}", rate=RATE, host=HOST, slow=False) for path in paths}
        for each in loads.values():
            stack.enter_context(each)
        yield loads


def _answered(path: str) -> set[str]:
    """Name the versions that answer a path now."""
    answers = [httpx.get(f"{INGRESS}{path}", headers={"host": HOST}).text for _ in range(30)]
    return set(Counter("v2" if "v2" in text else "v1" for text in answers))


def _http(stack: Stack) -> list[str]:
    (found,) = stack.shell.json(f"kubectl get virtualservices -n {stack.namespace} -o json")["items"]
    return [each["name"] for each in found["spec"]["http"]]
