"""`python -m operations drift --fix`: what is shown, asked, checked again and done."""

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
    """A stack in a cluster, looked at once after the other; what is done to it is noted."""

    def __init__(self, *scenes: Observed) -> None:
        self.scenes = list(scenes)
        self.done: list[str] = []
        self.output = io.StringIO()

    def sample(self, *_: object) -> Observed:
        """See the next scene; the last one stays."""
        return self.scenes.pop(0) if len(self.scenes) > 1 else self.scenes[0]

    def do(self, steps: list[object]) -> None:
        """Note what is done."""
        self.done += [str(each) for each in steps]

    def fix(self, confirm: Callable[[str], bool] | None = None) -> int:
        """Run the command, with a question if somebody is there to answer."""
        request = Request(stack="prod", json=False, fix=True, yes=confirm is None)
        console = Console(file=self.output, width=300, markup=False)
        return command.drift(PROJECT, request, console, confirm or (lambda _: True))


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Stack]:
    """Make a stack of scenes."""

    def make(*scenes: Observed) -> Stack:
        stack = Stack(*scenes)
        monkeypatch.setattr(command, "sample", stack.sample)
        monkeypatch.setattr(command, "Repairer", lambda *_: stack)
        monkeypatch.setattr(
            command, "PulumiStack", lambda *_, **__: SimpleNamespace(refresh=lambda **_: None)
        )
        monkeypatch.setattr(auto, "LocalWorkspace", lambda **_: None)
        return stack

    return make


LIVE = [made(each) for each in declared("prod").manifests]
CHANGED = [
    edited(each, "metadata", "labels", "hand", value="made") if each["kind"] == "VirtualService" else each
    for each in LIVE
]
ROUTES = "put back: VirtualService springistiodemo-prod/springbootapp"
LEFT = as_own(UNDECLARED[1])
DELETION = "delete: VirtualService springistiodemo-prod/hand-made"


def test_what_is_shown_is_done(stack: Callable[..., Stack]) -> None:
    """Then all is as declared."""
    one = stack(observed([*CHANGED, LEFT]), observed([*CHANGED, LEFT]), observed(LIVE))
    assert one.fix(lambda _: True) == CLEAN
    assert one.done == [ROUTES, DELETION]
    assert DELETION in one.output.getvalue()


def test_objects_of_others_are_left(stack: Callable[..., Stack]) -> None:
    """They are listed, and the exit code says that there is still something to see to."""
    one = stack(observed([*CHANGED, *UNDECLARED]), observed([*LIVE, *UNDECLARED]))
    assert one.fix() == DRIFT
    assert one.done == [ROUTES]
    assert "kubectl --context lab delete pod hand-made" in one.output.getvalue()
    # Alone they are no reason to ask.
    alone = stack(observed([*LIVE, *UNDECLARED]))
    assert alone.fix(lambda _: pytest.fail("nothing is to be done")) == DRIFT
    assert alone.done == []


def test_what_changed_while_the_question_was_open_stops_it(stack: Callable[..., Stack]) -> None:
    """Another object to delete, or an update of a colleague's: nothing is done by the old view."""
    older = observed(CHANGED)
    urn = next(iter(older.state.objects))
    objects = {**older.state.objects, urn: replace(older.state.objects[urn], uid="another")}
    for now in (
        observed([*CHANGED, LEFT]),
        replace(older, state=replace(older.state, pending=["creating X"])),
    ):
        one = stack(older, now)
        with pytest.raises(OperationError, match="changed while the question was open"):
            one.fix(lambda _: True)
        assert one.done == []
    again = stack(older, replace(older, state=replace(older.state, objects=objects)))
    with pytest.raises(OperationError, match="changed while the question was open"):
        again.fix(lambda _: True)


def test_what_comes_later_is_not_deleted(stack: Callable[..., Stack]) -> None:
    """It was not shown before."""
    one = stack(observed(CHANGED), observed([*LIVE, LEFT]))
    with pytest.raises(OperationError, match="came back each time"):
        one.fix()
    assert one.done == [ROUTES]


def test_an_update_that_runs_is_told_from_one_that_was_interrupted(
    stack: Callable[..., Stack], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the first, who runs it and since when; of the second, what it left and what to do."""
    broken = replace(observed(CHANGED), state=replace(state("prod"), pending=["creating Deployment shop-v3"]))
    one = stack(broken)
    running = Holder(user="ann", host="build-7", pid=12, since=dt.datetime(2026, 11, 30, tzinfo=dt.UTC))
    monkeypatch.setattr(command, "installed", lambda: None)
    monkeypatch.setattr(command, "lock_holders", lambda *_: [running])
    with pytest.raises(StackLocked, match="another update of it is running") as output:
        one.fix()
    assert "ann@build-7, process 12, since 2026-11-30 00:00:00 UTC" in str(output.value)
    monkeypatch.setattr(command, "lock_holders", lambda *_: [])
    with pytest.raises(OperationError, match=r"was interrupted .*; none runs now") as told_too:
        one.fix()
    assert "creating Deployment shop-v3" in told_too.value.evidence
    assert told_too.value.fix == "python -m operations recover --stack prod"
    assert one.done == []


def test_in_a_namespace_that_others_share_their_objects_are_theirs() -> None:
    """Limits, walls and ways in of its owner touch nothing of this stack's alone."""
    namespace = manifest("Namespace", stack="prod")
    wanted = declared("prod")
    used = replace(
        wanted, resources=[each for each in wanted.resources if each.inputs["kind"] != "Namespace"]
    )
    specs: list[dict[str, Any]] = [
        {"apiVersion": "v1", "kind": "LimitRange", "spec": {}},
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
