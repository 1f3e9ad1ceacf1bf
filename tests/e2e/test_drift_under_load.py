"""`operations drift --fix` under a constant load: it loses no request."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import pytest

from bench import load
from bench.changes import base
from tests.e2e.conftest import Stack, stacks_in
from tests.e2e.drifting import CLEAN, DRIFT, drift, kubectl, weight

NAMESPACE = "e2e-drift-load"
HOST = f"{NAMESPACE}.example.com"
URL = "http://127.0.0.1:31380/hello"
RATE = 200
"""Requests per second: enough to detect gaps of some milliseconds."""

Change = Callable[[Stack], object]


@pytest.fixture(scope="module")
def stack(_lab_is_up: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Two versions under traffic, two pods each."""
    with stacks_in(tmp_path_factory.mktemp("drift-load")) as make:
        made = make(NAMESPACE, **base(NAMESPACE))
        made.up()
        yield made


def repair(stack: Stack) -> None:
    """Run `--fix`; then all is as declared, and Pulumi's state is up to date."""
    assert drift(stack)[0] == DRIFT
    code, output = drift(stack, "--fix --yes")
    assert code == CLEAN, output
    stack.pulumi("refresh --preview-only --expect-no-changes --run-program")


def patched(name: str, **change: object) -> Change:
    """Patch an object, and wait for the rollout."""

    def run(stack: Stack) -> None:
        kubectl(stack, f"patch {name} --type=merge --patch='{json.dumps(change)}'")
        kubectl(stack, "rollout status deployment --timeout=120s")

    return run


def words(*commands: str) -> Change:
    """Run commands of kubectl, and wait for the rollout."""

    def run(stack: Stack) -> None:
        for each in (*commands, "rollout status deployment --timeout=120s"):
            kubectl(stack, each)

    return run


def label_a_pod(stack: Stack) -> None:
    """Add a label to one pod."""
    name = stack.shell.pods(NAMESPACE, "version=v1")[0]["metadata"]["name"]
    kubectl(stack, f"label pod {name} team=a")


HARMLESS: Final[Mapping[str, Change]] = {
    "weights moved": lambda stack: weight(stack, 0, 100),
    "a label on the routes": words("label virtualservice springbootapp team=a"),
    "more pods": words("scale deployment springbootapp-v1 --replicas=3"),
    "another image": words("set image deployment springbootapp-v2 *=xjk27400861/springbootapp:42"),
    "a labelled pod": label_a_pod,
    "a policy of the host": patched(
        "destinationrule springbootapp-v1", spec={"trafficPolicy": {"loadBalancer": {"simple": "RANDOM"}}}
    ),
    "an annotation on the pods": patched(
        "deployment springbootapp-v1", spec={"template": {"metadata": {"annotations": {"team": "a"}}}}
    ),
}
"""Changes that lose no request: their repair may lose none either."""

HARMFUL: Final[Mapping[str, Change]] = {
    "routes deleted": words("delete virtualservice springbootapp"),
    "subset deleted": words("delete destinationrule springbootapp-v2"),
    "gateway deleted": words("delete gateway.networking.istio.io springbootapp"),
    "service deleted": words("delete service springbootapp"),
    "scaled to none": words("scale deployment springbootapp-v1 springbootapp-v2 --replicas=0"),
    "deployment deleted": words("delete deployment springbootapp-v2"),
}
"""Changes that make requests fail until they are repaired."""


@pytest.mark.parametrize("change", HARMLESS)
def test_a_harmless_change_is_repaired_without_a_lost_request(stack: Stack, change: str) -> None:
    """From before the change until after `--fix`, through the ingress, at the full rate."""
    with load.Load(URL, rate=RATE, host=HOST) as running:
        HARMLESS[change](stack)
        repair(stack)
    assert not running.report.failed, running.report.failures[:5]
    assert running.report.rate > RATE * 0.95


@pytest.mark.parametrize("change", HARMFUL)
def test_after_a_harmful_change_all_requests_succeed_when_the_repair_ends(stack: Stack, change: str) -> None:
    """From the first request after the command."""
    HARMFUL[change](stack)
    repair(stack)
    with load.Load(URL, rate=RATE, host=HOST) as running:
        time.sleep(5)
    assert not running.report.failed, running.report.failures[:5]
    assert running.report.answers.keys() == {"v1", "v2"}
