"""How the number of a version's pods passes to an autoscaler and back. `kubectl` is a script."""

import asyncio
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components.rollout.autoscaler_handover import ATTEMPTS, AutoscalerHandover, giving_up
from components.rollout.hooks import SharedHooks
from components.rollout.proxy_status import HandoverError
from tests.unit.stacks import stack

NAME = "springbootapp-v1"
FIXED: Mapping[str, Any] = {"spec": {"replicas": 4}}
SCALED: Mapping[str, Any] = {"spec": {"strategy": {}}}

Asked = Callable[[], list[str]]


def entry(manager: str, *fields: str, operation: str = "Apply") -> dict[str, Any]:
    """One note of who owns which fields of the spec."""
    owned: dict[str, dict[str, str]] = {f"f:{field}": {} for field in fields}
    return {"manager": manager, "operation": operation, "fieldsV1": {"f:spec": owned}}


OURS = entry("pulumi-kubernetes-1a2b", "replicas", "strategy")
LIVE = {"metadata": {"managedFields": [entry("kubectl", "paused"), OURS]}, "spec": {"replicas": 4}}
PATCH = [
    {"op": "test", "path": "/metadata/managedFields/1/manager", "value": "pulumi-kubernetes-1a2b"},
    {"op": "test", "path": "/metadata/managedFields/1/operation", "value": "Apply"},
    {"op": "remove", "path": "/metadata/managedFields/1/fieldsV1/f:spec/f:replicas"},
]


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """A kubectl that gets the file `live` and fails as often as `failures` has lines: lists its commands."""
    script = tmp_path / "kubectl"
    script.write_text(
        f'#!/bin/bash\ncd {tmp_path}\nshift 4\necho "$*" >>asked\n'
        'if [ "$1" != get ] && [ -s failures ]; then sed -i 1d failures; echo refused >&2; exit 1; fi\n'
        '[ "$1" != get ] || cat live\n'
    )
    script.chmod(0o755)
    (tmp_path / "asked").touch()
    (tmp_path / "live").write_text(json.dumps(LIVE))
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return lambda: (tmp_path / "asked").read_text().splitlines()


def update(old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Let the engine update the Deployment of v1."""
    found = stack()
    replicas = AutoscalerHandover(found.services[0], "v1", found, SharedHooks())
    args = pulumi.ResourceHookArgs("urn", "id", NAME, "Deployment", old_inputs=old, new_inputs=new)
    asyncio.run(replicas._change(args))  # noqa: SLF001 (the engine calls it)


def test_the_stack_gives_the_number_up_before_it_leaves_it_out(asked: Asked) -> None:
    """Server-side apply would set it to 1: 4 pods that serve would be 1 until the autoscaler's first look."""
    update(FIXED, SCALED)
    assert asked() == [
        f"get deployment {NAME} --show-managed-fields --ignore-not-found --output=json",
        f"patch deployment {NAME} --type=json --patch={json.dumps(PATCH)}",
    ]


def test_also_where_the_state_has_forgotten_that_it_named_it(asked: Asked) -> None:
    """As after an update that was killed, and a refresh."""
    update(SCALED, SCALED)
    assert len(asked()) == 2


def test_what_others_own_is_theirs() -> None:
    """An autoscaler that has changed the number, or a hand, keeps it."""
    for other in (
        entry("kube-controller-manager", "replicas", operation="Update"),
        entry("kubectl", "replicas"),
        entry("pulumi-kubernetes-1a2b", "strategy"),
        {"manager": "pulumi-kubernetes-1a2b", "operation": "Apply"},
    ):
        assert giving_up({"metadata": {"managedFields": [other]}}) == []
    assert giving_up({"metadata": {}}) == []


def test_the_autoscaler_goes_before_the_stack_sets_the_number(asked: Asked) -> None:
    """Until the end of the update, when the engine deletes it, it would change the number back."""
    update(SCALED, FIXED)
    chosen = f"--field-selector=metadata.name={NAME} --selector=app.kubernetes.io/managed-by=pulumi"
    assert asked() == [f"delete horizontalpodautoscalers {chosen}"]


def test_a_number_that_stays_the_stacks_asks_nothing(asked: Asked) -> None:
    """Of every other update."""
    update(FIXED, {"spec": {"replicas": 5}})
    assert asked() == []


def test_a_note_that_moved_meanwhile_is_read_again(asked: Asked, tmp_path: Path) -> None:
    """Controllers write beside it."""
    (tmp_path / "failures").write_text("\n" * (ATTEMPTS - 1))
    update(FIXED, SCALED)
    assert sum(line.startswith("patch") for line in asked()) == ATTEMPTS


@pytest.mark.parametrize(("old", "new"), [(FIXED, SCALED), (SCALED, FIXED)])
def test_without_it_the_deployment_is_left_as_it_is(
    asked: Asked, tmp_path: Path, old: Mapping[str, Any], new: Mapping[str, Any]
) -> None:
    """The update ends before it costs a pod."""
    (tmp_path / "failures").write_text("\n" * ATTEMPTS)
    with pytest.raises(
        HandoverError, match=f"Deployment {NAME} is not updated, .* autoscaler: refused. Fix this, then"
    ):
        update(old, new)
    assert asked()


def test_a_deployment_that_is_gone_is_the_providers(asked: Asked, tmp_path: Path) -> None:
    """It says so itself."""
    (tmp_path / "live").write_text("")
    update(FIXED, SCALED)
    assert len(asked()) == 1
