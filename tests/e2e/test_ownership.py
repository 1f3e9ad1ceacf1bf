"""A stack takes over nothing that it did not make, and shares a namespace that another owner made."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.conftest import MakeStack, Shell, Stack
from tests.e2e.traffic import ask

NAMESPACE = "e2e-ownership"
HOST = f"{NAMESPACE}.example.com"
EXTRA = "http://127.0.0.1:31391/hello"
APP = {"image": "xjk27400861/springbootapp", "port": 8080, "probe": "/hello"}
INGRESS = {"address": "127.0.0.1", "extraPorts": [{"port": 8091, "targetPort": 8091, "nodePort": 31391}]}
ONE: dict[str, Any] = {
    "app": {"name": "web", **APP},
    "versions": {"v1": {"tag": "42"}},
    "weights": {"v1": 100},
    "gateway": {"hosts": [HOST]},
}
SEVERAL = {
    "web": {**ONE, "app": APP},
    "api": {**ONE, "app": APP, "versions": {"v1": {"tag": "43"}}, "gateway": {"hosts": [f"api.{HOST}"]}},
}


@pytest.fixture
def theirs(shell: Shell) -> Iterator[Shell]:
    """A namespace of another team, with something of theirs in it."""
    shell.run(f"kubectl delete namespace {NAMESPACE} --ignore-not-found")
    shell.run(f"kubectl create namespace {NAMESPACE} && kubectl create configmap theirs -n {NAMESPACE}")
    yield shell
    shell.run(f"kubectl delete namespace {NAMESPACE} --wait=false")


def refused(stack: Stack, command: str) -> str:
    """What a command says that is to stop before it changes anything."""
    said = stack.pulumi(command, check=False)
    assert said.returncode
    assert "Traceback" not in said.stdout
    return said.stdout


def uid(shell: Shell, what: str) -> str:
    return shell.run(f"kubectl get {what} -o jsonpath={{.metadata.uid}}").stdout


def test_a_namespace_of_another_team(theirs: Shell, new_stack: MakeStack) -> None:
    """It is refused, used when told so, shared, and left as it was; a second service comes in one update."""
    before = uid(theirs, f"namespace {NAMESPACE}"), uid(theirs, f"configmap theirs -n {NAMESPACE}")
    labels = theirs.run(f"kubectl get namespace {NAMESPACE} -o jsonpath={{.metadata.labels}}").stdout
    mine = new_stack("e2e-ownership", namespace={"name": NAMESPACE}, ingress=INGRESS, **ONE)
    for command in ("preview", "up --yes --skip-preview"):
        said = refused(mine, command)
        assert said.count("MESH205") == 1, said
        assert "pulumi config set --path 'mesh-app:namespace.existing' true" in said
        assert f"python -m operations adopt --stack {mine.name}" in said
    assert not theirs.run(f"kubectl get deployments,services -n {NAMESPACE} -o name").stdout

    mine.configure(namespace={"name": NAMESPACE, "existing": True})
    mine.up()
    (pod,) = theirs.pods(NAMESPACE)
    assert "istio-proxy" in {
        each["name"] for each in pod["spec"]["containers"] + pod["spec"]["initContainers"]
    }
    ports = uid(theirs, f"service extra-31391-{NAMESPACE} -n istio-system")

    shared = {"name": NAMESPACE, "existing": True}
    other = new_stack("e2e-ownership-two", namespace=shared, ingress=INGRESS, **ONE)
    said = refused(other, "preview")
    assert f"Deployment {NAMESPACE}/web-v1 exists already" in said
    assert f"it belongs to stack mesh-app.{mine.name}-" in said

    # From one service to several, with one extra port: its Service stays, and so do the first one's pods.
    for key in ONE:
        mine.configure(**{key: None})
    mine.configure(services=SEVERAL)
    mine.up()
    assert uid(theirs, f"service extra-31391-{NAMESPACE} -n istio-system") == ports
    assert pod["metadata"]["name"] in {each["metadata"]["name"] for each in theirs.pods(NAMESPACE)}
    assert ask(EXTRA, 10, host=HOST) == {"v1": 10}

    mine.pulumi("destroy --yes --skip-preview")
    after = uid(theirs, f"namespace {NAMESPACE}"), uid(theirs, f"configmap theirs -n {NAMESPACE}")
    assert after == before
    assert theirs.run(f"kubectl get namespace {NAMESPACE} -o jsonpath={{.metadata.labels}}").stdout == labels
