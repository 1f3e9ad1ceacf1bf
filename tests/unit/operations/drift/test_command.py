"""`python -m operations drift --fix`: plan, confirmation, second check and repair."""

import datetime as dt
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pulumi import automation as auto
from rich.console import Console

from operations.drift import command
from operations.drift.check import Observed, compare
from operations.drift.command import CLEAN, DRIFT, Request
from operations.errors import OperationError
from operations.pulumi_stack.locks import Holder, StackLocked
from tests.unit.operations.drift.live import declared, edited, made, manifest, snapshot, state
from tests.unit.operations.drift.test_plan import UNDECLARED, as_own, observed

PROJECT: Any = SimpleNamespace(folder=Path(), name="mesh-app")


class Stack:
    """A stack with a sequence of samples; records the steps that are carried out."""

    def __init__(self, *samples: Observed) -> None:
        self.samples = list(samples)
        self.done: list[str] = []
        self.output = io.StringIO()

    def observe(self, *_: object) -> Observed:
        """Return the next sample; the last one is repeated."""
        return self.samples.pop(0) if len(self.samples) > 1 else self.samples[0]

    def do(self, steps: list[object]) -> None:
        """Record the steps."""
        self.done += [str(each) for each in steps]

    def fix(self, confirm: Callable[[str], bool] | None = None) -> int:
        """Run the command, with a question if there is a function to answer it."""
        request = Request(stack="prod", json=False, fix=True, yes=confirm is None)
        console = Console(file=self.output, width=300, markup=False)
        return command.drift(PROJECT, request, console, confirm or (lambda _: True))


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Stack]:
    """Make a stack with samples."""

    def make(*samples: Observed) -> Stack:
        stack = Stack(*samples)
        monkeypatch.setattr(command, "observe", stack.observe)
        monkeypatch.setattr(command, "Repairer", lambda *_: stack)
        monkeypatch.setattr(
            command, "PulumiStack", lambda *_, **__: SimpleNamespace(refresh=lambda **_: None)
        )
        monkeypatch.setattr(auto, "LocalWorkspace", lambda **_: None)
        return stack

    return make


LIVE = [made(each) for each in declared("prod").manifests]
CHANGED = [
    edited(each, "metadata", "labels", "team", value="a") if each["kind"] == "VirtualService" else each
    for each in LIVE
]
ROUTES = "restore: VirtualService springistiodemo-prod/springbootapp"
CREATED = as_own(UNDECLARED[1])
DELETION = "delete: VirtualService springistiodemo-prod/manual"


def test_the_planned_changes_are_carried_out(stack: Callable[..., Stack]) -> None:
    """Then all is as declared."""
    one = stack(observed([*CHANGED, CREATED]), observed([*CHANGED, CREATED]), observed(LIVE))
    assert one.fix(lambda _: True) == CLEAN
    assert one.done == [ROUTES, DELETION]
    assert DELETION in one.output.getvalue()


def test_foreign_objects_are_not_changed(stack: Callable[..., Stack]) -> None:
    """They are listed, and the exit code is still that of drift."""
    one = stack(observed([*CHANGED, *UNDECLARED]), observed([*LIVE, *UNDECLARED]))
    assert one.fix() == DRIFT
    assert one.done == [ROUTES]
    assert "kubectl --context lab delete pod manual" in one.output.getvalue()
    # Without other findings there is no question.
    alone = stack(observed([*LIVE, *UNDECLARED]))
    assert alone.fix(lambda _: pytest.fail("nothing is to be done")) == DRIFT
    assert alone.done == []


def test_a_change_while_the_question_is_open_stops_it(stack: Callable[..., Stack]) -> None:
    """Another object to delete, or another update: the outdated plan is not carried out."""
    older = observed(CHANGED)
    urn = next(iter(older.state.objects))
    objects = {**older.state.objects, urn: replace(older.state.objects[urn], uid="another")}
    for now in (
        observed([*CHANGED, CREATED]),
        replace(older, state=replace(older.state, pending=["creating X"])),
    ):
        one = stack(older, now)
        with pytest.raises(OperationError, match="changed while the question was open"):
            one.fix(lambda _: True)
        assert one.done == []
    again = stack(older, replace(older, state=replace(older.state, objects=objects)))
    with pytest.raises(OperationError, match="changed while the question was open"):
        again.fix(lambda _: True)


def test_an_object_that_was_not_in_the_plan_is_not_deleted(stack: Callable[..., Stack]) -> None:
    """It appeared after the confirmation."""
    one = stack(observed(CHANGED), observed([*LIVE, CREATED]))
    with pytest.raises(OperationError, match="reappeared after each repair"):
        one.fix()
    assert one.done == [ROUTES]


def test_a_running_update_differs_from_an_interrupted_one(
    stack: Callable[..., Stack], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first has user and time; the second has the pending operations and the command to run."""
    broken = replace(observed(CHANGED), state=replace(state("prod"), pending=["creating Deployment shop-v3"]))
    one = stack(broken)
    running = Holder(user="ann", host="build-7", pid=12, since=dt.datetime(2026, 11, 30, tzinfo=dt.UTC))
    monkeypatch.setattr(command, "installed", lambda: None)
    monkeypatch.setattr(command, "lock_holders", lambda *_: [running])
    with pytest.raises(StackLocked, match="another update of it is running") as output:
        one.fix()
    assert "ann@build-7, process 12, since 2026-11-30 00:00:00 UTC" in str(output.value)
    monkeypatch.setattr(command, "lock_holders", lambda *_: [])
    with pytest.raises(OperationError, match=r"was interrupted .*; none runs now") as interrupted:
        one.fix()
    assert "creating Deployment shop-v3" in interrupted.value.evidence
    assert interrupted.value.fix == "python -m operations recover --stack prod"
    assert one.done == []


def test_objects_for_all_pods_of_a_shared_namespace_are_not_reported() -> None:
    """Policies and Gateways of its owner do not affect this stack only."""
    namespace = manifest("Namespace", stack="prod")
    wanted = declared("prod")
    used = replace(
        wanted, resources=[each for each in wanted.resources if each.inputs["kind"] != "Namespace"]
    )
    specs: list[dict[str, Any]] = [
        {"apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication", "spec": {}},
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "spec": {"podSelector": {}},
        },
        {
            "apiVersion": "networking.istio.io/v1",
            "kind": "Gateway",
            "spec": {"servers": [{"hosts": ["other.example.com"]}]},
        },
    ]
    theirs = [
        {**each, "metadata": {"name": "a", "namespace": namespace["metadata"]["name"]}} for each in specs
    ]
    live = snapshot([*(each for each in LIVE if each["kind"] != "Namespace"), *theirs])
    objects = {
        urn: stored for urn, stored in state("prod").objects.items() if stored.inputs["kind"] != "Namespace"
    }
    seen = Observed(wanted=used, state=replace(state("prod"), objects=objects), live=live)
    assert compare(seen).findings == []
    # In a namespace of its own each of them is reported.
    assert len(compare(observed([*LIVE, *theirs])).findings) == len(theirs)
