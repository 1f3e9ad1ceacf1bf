"""`operations drift --fix` under a constant load: it adds no lost request to what the edit itself lost."""

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
"""Requests a second: enough to meet every gap of some milliseconds, and room for other work."""

Edit = Callable[[Stack], object]


@pytest.fixture(scope="module")
def stack(_lab_is_up: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Two versions under traffic, two pods each."""
    with stacks_in(tmp_path_factory.mktemp("drift-load")) as make:
        made = make(NAMESPACE, **base(NAMESPACE))
        made.up()
        yield made


def put_back(stack: Stack) -> None:
    """Fix it; then all is as declared, and Pulumi's state is true."""
    assert drift(stack)[0] == DRIFT
    code, said = drift(stack, "--fix --yes")
    assert code == CLEAN, said
    stack.pulumi("refresh --preview-only --expect-no-changes --run-program")


def patched(name: str, **change: object) -> Edit:
    """Merge a change into an object, and wait for the pods that it makes."""

    def edit(stack: Stack) -> None:
        kubectl(stack, f"patch {name} --type=merge --patch='{json.dumps(change)}'")
        kubectl(stack, "rollout status deployment --timeout=120s")

    return edit


def words(*commands: str) -> Edit:
    """Run commands of kubectl, and wait for the pods that they make."""

    def edit(stack: Stack) -> None:
        for each in (*commands, "rollout status deployment --timeout=120s"):
            kubectl(stack, each)

    return edit


def look_into_a_pod(stack: Stack) -> None:
    """Label one, as people do before they look closer."""
    name = stack.shell.pods(NAMESPACE, "version=v1")[0]["metadata"]["name"]
    kubectl(stack, f"label pod {name} hand=made")


HARMLESS: Final[Mapping[str, Edit]] = {
    "weights moved": lambda stack: weight(stack, 0, 100),
    "a label on the routes": words("label virtualservice springbootapp team=hand"),
    "more pods": words("scale deployment springbootapp-v1 --replicas=3"),
    "another image": words("set image deployment springbootapp-v2 *=xjk27400861/springbootapp:42"),
    "a labelled pod": look_into_a_pod,
    "a policy of the host": patched(
        "destinationrule springbootapp-v1", spec={"trafficPolicy": {"loadBalancer": {"simple": "RANDOM"}}}
    ),
    "an annotation on the pods": patched(
        "deployment springbootapp-v1", spec={"template": {"metadata": {"annotations": {"hand": "made"}}}}
    ),
}
"""Edits that leave every request an answer: nothing may be lost by them or by their repair."""

HARMFUL: Final[Mapping[str, Edit]] = {
    "routes deleted": words("delete virtualservice springbootapp"),
    "subset deleted": words("delete destinationrule springbootapp-v2"),
    "gateway deleted": words("delete gateway.networking.istio.io springbootapp"),
    "service deleted": words("delete service springbootapp"),
    "scaled to none": words("scale deployment springbootapp-v1 springbootapp-v2 --replicas=0"),
    "deployment deleted": words("delete deployment springbootapp-v2"),
}
"""Edits that break something: until they are put back, requests fail, and from then on none does."""


@pytest.mark.parametrize("edit", HARMLESS)
def test_what_harmed_nobody_is_put_back_without_a_lost_request(stack: Stack, edit: str) -> None:
    """From before the edit until after `--fix`, through the ingress, and the rate was held."""
    with load.Load(URL, rate=RATE, host=HOST) as running:
        HARMLESS[edit](stack)
        put_back(stack)
    assert not running.report.failed, running.report.failures[:5]
    assert running.report.rate > RATE * 0.95


@pytest.mark.parametrize("edit", HARMFUL)
def test_what_broke_something_is_whole_when_the_fix_ends(stack: Stack, edit: str) -> None:
    """Not a moment later: the first request after the command is answered, and all that follow."""
    HARMFUL[edit](stack)
    put_back(stack)
    with load.Load(URL, rate=RATE, host=HOST) as running:
        time.sleep(5)
    assert not running.report.failed, running.report.failures[:5]
    assert running.report.answers.keys() == {"v1", "v2"}
