"""Sidecars come and go with the stack file, in real pods."""

from typing import Any

from tests.e2e.conftest import MakeStack, Stack

SETTINGS: dict[str, Any] = {
    "app": {"name": "orders", "image": "lab/orders", "port": 9090, "probe": "/healthz"},
    "versions": {"v1": {"tag": "1.0"}},
    "weights": {"v1": 100},
    "gateway": {"hosts": ["injection.example.com"]},
    "ingress": {"address": "127.0.0.1"},
}
INJECTION_LABELS = {"istio-injection", "istio.io/rev", "istio.io/dataplane-mode"}


def sidecars(stack: Stack) -> dict[str, bool]:
    """Which versions' pods have a sidecar."""
    return {
        pod["metadata"]["labels"]["version"]: any(
            container["name"] == "istio-proxy"
            for container in [*pod["spec"]["containers"], *pod["spec"].get("initContainers", [])]
        )
        for pod in stack.shell.pods(stack.namespace)
    }


def labels(stack: Stack) -> dict[str, str]:
    """The injection labels of the namespace."""
    metadata = stack.shell.json(f"kubectl get namespace {stack.namespace} -o json")["metadata"]
    return {key: value for key, value in metadata["labels"].items() if key in INJECTION_LABELS}


def test_with_without_by_revision_and_with_again(new_stack: MakeStack) -> None:
    """Each change of the setting alone makes new pods of the right kind, and exactly one label is set."""
    stack = new_stack(
        "e2e-injection", namespace={"name": "e2e-injection", "injection": "enabled"}, **SETTINGS
    )
    steps: tuple[tuple[object, dict[str, str], bool], ...] = (
        ("enabled", {"istio-injection": "enabled"}, True),
        ("disabled", {"istio-injection": "disabled"}, False),
        ({"revision": "default"}, {"istio.io/rev": "default"}, True),
        ("manual", {}, False),
        ("enabled", {"istio-injection": "enabled"}, True),
    )
    for injection, label, sidecar in steps:
        stack.configure(namespace={"name": "e2e-injection", "injection": injection})
        stack.up()
        assert labels(stack) == label
        assert sidecars(stack) == {"v1": sidecar}, injection
        stack.pulumi("preview --expect-no-changes")


def test_by_hand_for_each_version(new_stack: MakeStack) -> None:
    """`istioctl kube-inject` for some pods has its equivalent: a switch on the version."""
    settings = {**SETTINGS, "versions": {"v1": {"tag": "1.0", "sidecar": True}, "v2": {"tag": "1.1"}}}
    stack = new_stack("e2e-manual", namespace={"name": "e2e-manual", "injection": "manual"}, **settings)
    stack.up()
    assert labels(stack) == {}
    assert sidecars(stack) == {"v1": True, "v2": False}
