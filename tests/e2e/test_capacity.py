"""No update leaves a version that has weight with fewer ready pods than the smaller of before and after."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import pytest

from bench.changes import APP
from tests.e2e.conftest import MakeStack, Stack

NAMESPACE = "capacity"
FIXED = {"tag": "42", "replicas": 2}
SCALED = {"tag": "42", "autoscaling": {"min": 2, "max": 3}}


@pytest.fixture
def stack(new_stack: MakeStack) -> Stack:
    """A stack whose v1 has all the weight, and two pods."""
    made = new_stack(
        NAMESPACE,
        namespace={"name": NAMESPACE},
        app=APP,
        versions={"v1": FIXED},
        weights={"v1": 100},
        gateway={"hosts": [f"{NAMESPACE}.example.com"]},
        ingress={"address": "127.0.0.1"},
    )
    made.up()
    return made


@contextmanager
def ready_pods(stack: Stack, version: str) -> Iterator[list[int]]:
    """List how many pods of a version are ready, each time that its Deployment changes."""
    counts: list[int] = []
    where = f"deployment springbootapp-{version} -n {stack.namespace}"
    command = f"exec kubectl get {where} --watch -o jsonpath='{{.status.readyReplicas}}{{\"\\n\"}}'"
    words = ["bash", "-c", f"{stack.shell.prelude} && {command}"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as watch:
        lines = watch.stdout or ()
        reader = Thread(target=lambda: counts.extend(int(line or 0) for line in lines))
        reader.start()
        yield counts
        watch.terminate()
        reader.join()


def test_the_number_of_pods_passes_to_an_autoscaler_and_back(stack: Stack) -> None:
    """Server-side apply alone would set it to 1 on the way there."""
    with ready_pods(stack, "v1") as counts:
        for version, scalers in ((SCALED, 1), (FIXED, 0)):
            stack.configure(versions={"v1": version})
            stack.up()
            stack.pulumi("preview --expect-no-changes")
            stack.pulumi("refresh --preview-only --expect-no-changes --run-program")
            found = stack.shell.json(f"kubectl get deployments,hpa -n {stack.namespace} -o json")["items"]
            assert [each["kind"] for each in found].count("HorizontalPodAutoscaler") == scalers
            assert found[0]["spec"]["replicas"] == 2
    assert counts
    assert min(counts) == 2


def test_a_version_gets_its_first_request_with_the_pods_that_it_is_declared_to_have(stack: Stack) -> None:
    """Its autoscaler raises a new Deployment to `min` 15 s after it was made."""
    stack.configure(versions={"v1": FIXED, "v2": {**SCALED, "tag": "43"}}, weights={"v1": 0, "v2": 100})
    stack.up()
    where = f"-n {stack.namespace} --show-managed-fields -o json"
    routes = stack.shell.json(f"kubectl get virtualservice springbootapp {where}")
    changed = max(each["time"] for each in routes["metadata"]["managedFields"])
    pods = stack.shell.pods(stack.namespace, "version=v2")
    ready = [each for pod in pods for each in pod["status"]["conditions"] if each["type"] == "Ready"]
    assert len(ready) == 2
    assert all(each["status"] == "True" and each["lastTransitionTime"] <= changed for each in ready)


def test_a_change_that_loses_requests_is_reported_in_the_preview(stack: Stack) -> None:
    """With its code and the two updates that lose none; one that loses none is not."""
    stack.configure(app={**APP, "port": 9090})
    said = stack.pulumi("preview").stdout
    assert "MESH210  mesh-app:app.port" in said
    assert "to lose none from outside, use two updates" in said
    stack.configure(app={**APP, "probe": "/hello"})
    assert "MESH21" not in stack.pulumi("preview").stdout
