"""Every object that the program declares carries the identity of its stack; pods and selectors never do."""

from typing import Any

import pytest

from components.model.stack_identity import LABEL, identity
from components.resources import mesh_namespace
from tests.program import recorder
from tests.program.recorder import run, stack_file
from tests.unit.stacks import several, with_changes

OWN = identity("mesh-app", "test")
EVERYTHING = {
    "versions__v1": {
        "tag": "1",
        "autoscaling": {"min": 2, "max": 3},
        "disruptionBudget": {"maxUnavailable": 1},
    },
    "security": {"mtls": "STRICT", "allow": {"users": {"gateway": True}}},
}


@pytest.mark.parametrize(
    "config",
    [
        stack_file("Pulumi.dev.yaml"),
        stack_file("Pulumi.prod.yaml"),
        with_changes(**EVERYTHING),
        with_changes(**several()),
        with_changes(api="gateway-api", gateway={"hosts": ["shop.example.com"]}),
    ],
)
def test_every_object_is_marked(config: dict[str, object]) -> None:
    """Those in the namespace of the ingress too, which stand among other stacks'."""
    objects = [
        each for each in run(config).resources if each.type.startswith("kubernetes:") and not each.read
    ]
    assert objects
    for each in objects:
        inputs: dict[str, Any] = dict(each.inputs)
        assert inputs["metadata"]["labels"][LABEL] == OWN, each.key
        assert LABEL not in str(inputs.get("spec")), each.key


def test_an_existing_namespace_is_not_declared() -> None:
    """It is neither changed nor deleted."""
    declared = run(with_changes(namespace__existing=True))
    assert not [each for each in declared.resources if each.type.endswith(":Namespace")]
    assert declared.outputs["namespace"] == "springistiodemo"


def test_a_namespace_that_this_stack_created_is_let_go_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """For one update it is declared with the mark of no stack, and Pulumi learns not to delete it."""
    asked: dict[str, Any] = {}
    register = recorder._Monitor.RegisterResource  # noqa: SLF001 (what the engine is asked for)

    def note(monitor: Any, request: Any) -> Any:  # noqa: ANN401 (untyped by the library)
        asked[request.type] = request
        return register(monitor, request)

    monkeypatch.setattr(recorder._Monitor, "RegisterResource", note)  # noqa: SLF001
    monkeypatch.setattr(mesh_namespace, "is_outside_engine", lambda: False)
    monkeypatch.setattr(mesh_namespace, "labels_of_own", lambda _: {"istio-injection": "enabled"})
    declared = run(with_changes(namespace__existing=True))["Namespace springistiodemo"]
    assert asked[declared.type].retainOnDelete
    assert declared.inputs["metadata"]["labels"] == {"istio-injection": "enabled", LABEL: "none"}
