"""Kiali in a browser: the graph says what the stack file says. `make pictures` keeps what is seen."""

import re
import time
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page

from bench import load
from bench.changes import base
from tests.e2e.browser import page, picture
from tests.e2e.conftest import Stack, lab, stacks_in
from tests.e2e.observers import KIALI

NAMESPACE = "e2e-pictures"
HOST = f"{NAMESPACE}.example.com"
INGRESS = "http://127.0.0.1:31380/hello"

RATE = 40
"""Requests a second."""
WINDOW = 60
"""Seconds that the graph looks back: the shortest that Kiali offers."""
SCRAPED_SECONDS = 8
"""After so long what happened is in Prometheus."""
TOLERANCE = 4
"""Percentage points between a weight and its share of 2,400 requests: more than five standard deviations."""

GRAPH = {
    "namespaces": NAMESPACE,
    "graphType": "versionedApp",
    "duration": str(WINDOW),
    "injectServiceNodes": "true",
    "edges": "trafficDistribution,trafficRate",
    "refresh": "0",
}
"""The namespace alone: whoever asks from another one is drawn beside it."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The walkthrough in a namespace of its own: two versions, all traffic at v1, and what shows it."""
    lab("observe")
    with stacks_in(tmp_path_factory.mktemp("pictures")) as make:
        made = make("pictures", **{**base(NAMESPACE), "weights": {"v1": 100, "v2": 0}})
        made.up()
        yield made


def drawn(opened: Page, name: str) -> dict[str, float]:
    """Open the graph and keep its picture; the share that is written on the edge to each version."""
    with opened.expect_response("**/api/namespaces/graph?*") as answer:
        opened.goto(f"{KIALI}/console/graphpf/namespaces?{urlencode(GRAPH)}")
    elements = answer.value.json()["elements"]
    opened.locator("[data-kind=edge]").first.wait_for()
    opened.wait_for_timeout(3000)  # the layout moves until it has settled
    picture(opened, name)
    versions = {
        node["data"]["id"]: node["data"]["version"]
        for node in elements["nodes"]
        if node["data"].get("version") and node["data"]["namespace"] == NAMESPACE
    }
    return {
        versions[edge["data"]["target"]]: _share(opened, edge["data"]["id"])
        for edge in elements["edges"]
        if edge["data"]["target"] in versions
    }


def _share(opened: Page, edge: str) -> float:
    """The percentage on an edge, beside its rate: `89.8%`; on the only edge Kiali writes the rate alone."""
    written = opened.locator(f"[data-kind=edge][data-id='{edge}']").text_content() or ""
    assert "rps" in written
    share = re.search(r"([\d.]+)%", written)
    return float(share[1]) if share else 100


def under_load() -> None:
    """Ask the ingress for as long as the graph looks back."""
    with load.Load(INGRESS, rate=RATE, host=HOST) as sending:
        time.sleep(WINDOW + SCRAPED_SECONDS)
    assert sending.report.failed == 0


def test_the_picture_of_all_traffic_at_v1(stack: Stack) -> None:
    """The gateway, the service and v1; nothing goes to v2."""
    assert stack.outputs()["weights"] == {"v1": 100, "v2": 0}
    under_load()
    with page() as opened:
        assert drawn(opened, "all-at-v1") == {"v1": 100}
        assert {"istio-ingressgateway", "springbootapp"} <= set(opened.inner_text("body").split())


def test_the_picture_after_a_weight_change(stack: Stack) -> None:
    """What the stack file says is what the edges say."""
    stack.configure(weights={"v1": 90, "v2": 10})
    stack.up()
    under_load()
    with page() as opened:
        shares = drawn(opened, "split-90-10")
    assert shares == {
        "v1": pytest.approx(90, abs=TOLERANCE),
        "v2": pytest.approx(10, abs=TOLERANCE),
    }
