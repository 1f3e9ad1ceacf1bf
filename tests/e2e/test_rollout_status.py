"""A version whose pods never become ready stops the `up` before any weight moves, and the error says why."""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from bench.changes import V1, V2, base
from tests.e2e.conftest import Stack, stacks_in
from tests.e2e.interruptions import Update
from tests.unit.test_rollout_status import CASES, objects

NAMESPACE = "e2e-unready"
SOON_SECONDS = 180
"""The provider's share of the wait, what a kubelet needs to see that it tries in vain, and a slow machine."""

SLOW_SECONDS = 20
"""What no pod needs that starts at once."""

HOPELESS: Final[dict[str, tuple[dict[str, Any], list[str]]]] = {
    "no such image": ({"tag": "99"}, ["container springbootapp", "xjk27400861/springbootapp:99"]),
    "it ends at once": (
        {"tag": "43", "env": {"RESPONSE_DELAY": "soon"}},
        ["CrashLoopBackOff", "it ended with 1 (Error)", 'RESPONSE_DELAY="soon" is no duration such as 500ms'],
    ),
    "its probe fails": (
        {
            "tag": "43",
            "env": {"FAILURE_PERCENT": "100"},
            "probes": {"startup": {"path": "/hello", "failureThreshold": 5}},
        },
        ["Startup probe failed: HTTP probe failed with statuscode: 500", "listens on :8080"],
    ),
}
"""A version, and what the error says of it."""


@pytest.fixture(scope="module")
def stack(_lab_is_up: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One version that has all the traffic."""
    with stacks_in(tmp_path_factory.mktemp("unready")) as make:
        made = make("unready", **base(NAMESPACE))
        made.configure(versions={"v1": V1}, weights={"v1": 100})
        made.up()
        yield made


@pytest.mark.parametrize("case", HOPELESS)
def test_no_weight_moves(stack: Stack, case: str) -> None:
    """Not to a new version that cannot run; the reason is the pod's own, and the next `up` begins anew."""
    version, reasons = HOPELESS[case]
    before = _spec(stack)
    begun = time.monotonic()
    stack.configure(versions={"v1": V1, "v2": version}, weights={"v1": 50, "v2": 50})
    done = stack.pulumi("up --yes --skip-preview", check=False)
    assert done.returncode, done.stdout
    assert time.monotonic() - begun < SOON_SECONDS, done.stdout
    for reason in ("the weights are not changed, because the pods of v2 do not become ready", *reasons):
        assert reason in done.stdout
    assert _spec(stack) == before
    again = stack.pulumi("preview --expect-no-changes", check=False)
    assert again.returncode, "an update that failed must not look done"
    stack.configure(versions={"v1": V1}, weights={"v1": 100})
    stack.up()
    assert _spec(stack) == before


def test_a_version_that_takes_its_time_leaves_nothing_to_say(stack: Stack) -> None:
    """As many an app of Java: Pulumi's state keeps no complaint of the wait."""
    patient = {"path": "/hello", "timeoutSeconds": 60}
    slow = {
        "tag": "43",
        "env": {"RESPONSE_DELAY": "20s"},
        "probes": {"startup": patient, "readiness": patient, "liveness": patient},
    }
    stack.configure(versions={"v1": V1, "v2": slow}, weights={"v1": 100, "v2": 0})
    begun = time.monotonic()
    stack.up()
    assert time.monotonic() - begun > SLOW_SECONDS
    stack.pulumi("preview --expect-no-changes")
    stack.configure(versions={"v1": V1}, weights={"v1": 100})
    stack.up()


def test_nor_where_a_version_that_serves_gets_an_image_that_is_not_there(stack: Stack) -> None:
    """Its old pods go on serving, and the mended stack file is enough to go on."""
    stack.configure(versions={"v1": {**V1, "tag": "99"}})
    done = stack.pulumi("up --yes --skip-preview", check=False)
    assert done.returncode
    assert "xjk27400861/springbootapp:99" in done.stdout
    ready = stack.shell.run(f"kubectl get deployment springbootapp-v1 -n {NAMESPACE} -o jsonpath={{.status}}")
    assert '"availableReplicas":2' in ready.stdout
    stack.configure(versions={"v1": V1})
    stack.up()


def test_nor_where_the_provider_took_the_pods_for_ready(stack: Stack, tmp_path: Path) -> None:
    """As it does on a busy cluster; here it is right, and a kubectl in front of PATH shows others."""
    stack.configure(versions={"v1": V1, "v2": V2}, weights={"v1": 50, "v2": 50})
    stack.up()
    before = _spec(stack)
    (tmp_path / "pods").write_text(json.dumps({"items": objects(CASES["it ends again and again"]["status"])}))
    path = stack.shell.run('printf %s "$PATH"').stdout
    script = tmp_path / "kubectl"
    script.write_text(
        f'#!/bin/sh\ncase "$*" in *replicasets*) exec cat {tmp_path}/pods ;; esac\n'
        f'PATH={path} exec kubectl "$@"\n'
    )
    script.chmod(0o755)
    busy = replace(stack, shell=replace(stack.shell, variables={"PATH": f"{tmp_path}:{path}"}))
    stack.configure(versions={"v1": {**V1, "env": {"A": "1"}}, "v2": V2}, weights={"v1": 90, "v2": 10})
    done = busy.pulumi("up --yes --skip-preview", check=False)
    assert done.returncode, done.stdout
    assert "the weights are not changed, because the pods of v1 do not become ready" in done.stdout
    assert "Traceback" not in done.stdout
    assert _spec(stack) == before
    stack.configure(versions={"v1": V1}, weights={"v1": 100})
    stack.up()


def test_a_deployment_that_is_deleted_while_its_pods_are_waited_for(stack: Stack) -> None:
    """The update ends and says so, without a stack trace; the command that it names makes it again."""
    slow = {
        "tag": "43",
        "env": {"FAILURE_PERCENT": "100"},
        "probes": {"startup": {"path": "/hello", "failureThreshold": 100}},
    }
    stack.configure(versions={"v1": V1, "v2": slow}, weights={"v1": 50, "v2": 50})
    update = Update.up(stack)
    update.description("waiting for the v2 pods")
    stack.shell.run(f"kubectl delete deployment springbootapp-v2 -n {NAMESPACE}")
    code, said = update.end()
    assert code, said
    assert re.search(r"Deployment springbootapp-v2 of namespace \S+ was deleted", said), said
    assert "Traceback" not in said
    stack.configure(versions={"v1": V1, "v2": V2})
    assert "`pulumi up --refresh --run-program`" in said
    stack.pulumi("up --refresh --run-program --yes --skip-preview")
    stack.pulumi("preview --expect-no-changes")
    stack.configure(versions={"v1": V1}, weights={"v1": 100})
    stack.up()


def _spec(stack: Stack) -> Any:  # noqa: ANN401 (as Istio writes it)
    return stack.shell.json(f"kubectl get virtualservice springbootapp -n {stack.namespace} -o json")["spec"]
