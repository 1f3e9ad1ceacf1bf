"""`python -m operations recover`, and what a canary does of it: what is shown, asked and done."""

import datetime as dt
import socket
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pulumi import automation as auto

from operations.errors import OperationError
from operations.kube.manifests import Manifest
from operations.pulumi_stack.locks import Holder, StackLocked
from operations.pulumi_stack.recorder import Resource
from operations.recovery import command, orphan_processes
from operations.recovery.command import recover, settle
from tests.unit.operations.test_recover import BEFORE, INPUTS, LIVE, OWN, RESOURCE, URN, made

DECLARED = made("shop-v1")
OLD = {**RESOURCE, "urn": URN.replace("shop-v3", "shop-v0"), "inputs": made("shop-v0")}
KNOWN = {**RESOURCE, "urn": URN.replace("shop-v3", "shop-v1"), "inputs": DECLARED}


class Environment:
    """A stack, its backend and its cluster, as plain values; what is done to them is noted."""

    def __init__(self, state: list[Any], pending: list[Any], live: list[Manifest]) -> None:
        self.state, self.pending, self.live = state, pending, live
        self.holders: list[Holder] = []
        self.done: list[str] = []
        self.told: list[str] = []
        self.fails: set[str] = set()
        # The workspace, the command in it, the cluster and the updates, all in one.
        self.pulumi_command, self.context, self.work_dir = self, "lab", "."
        self.env_vars: dict[str, str] = {}
        self.stack = SimpleNamespace(cancel=lambda: self.done.append("cancel"))

    def who_am_i(self) -> Any:  # noqa: ANN401
        """Work at a bucket."""
        return SimpleNamespace(url="s3://states")

    def export_stack(self, _: str) -> auto.Deployment:
        """Return the state."""
        return auto.Deployment(
            version=3, deployment={"resources": self.state, "pending_operations": self.pending}
        )

    def run(self, words: Any, work: Callable[[], object] | None = None, **_: object) -> None:  # noqa: ANN401
        """Run a command of Pulumi's."""
        if work is None:
            self.done.append(" ".join(words[:2]))
        else:
            work()

    def preview(self) -> list[Any]:
        """Nothing but what is declared no longer."""
        return []

    def refresh(self, *, run_program: bool, forget_pending: bool) -> None:
        """Forget what was open."""
        assert run_program
        if "refresh" in self.fails:
            raise OperationError("`pulumi refresh` failed", fix="see above")
        self.done.append("refresh")
        self.pending = [] if forget_pending else self.pending

    def up(self) -> None:
        """Delete what is not declared."""
        self.done.append("up")
        self.state = [each for each in self.state if each is not OLD]

    def every(self, *_: object) -> list[Manifest]:
        """List namespaces."""
        return []

    def read(self, manifest: Manifest) -> Manifest | None:
        """Read one object."""
        wanted = manifest["metadata"]["name"]
        return next((each for each in self.live if each["metadata"]["name"] == wanted), None)

    def whole(self, _: str, kind: str, *__: object) -> list[Manifest]:
        """List objects."""
        return [each for each in self.live if each["kind"] == kind]

    def delete(self, manifest: Manifest) -> None:
        """Delete one."""
        self.done.append(f"delete {manifest['metadata']['name']}")

    def apply(self, manifest: Manifest, manager: str) -> None:
        """Declare no field of an object."""
        assert set(manifest) == {"apiVersion", "kind", "metadata"}
        self.done.append(f"let go {manifest['metadata']['name']} as {manager}")

    def patch(self, manifest: Manifest, change: Manifest) -> None:
        """Change one."""
        self.done.append(f"label {manifest['metadata']['name']} {change['metadata']['labels']}")


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Environment:
    """An update that made shop-v3 was killed, one before it shop-v4, and v0 is declared no longer."""
    pending = [{"resource": RESOURCE, "type": "creating"}]
    environment = Environment(
        [{**BEFORE, "type": "pulumi:pulumi:Stack"}, OLD, KNOWN], pending, [DECLARED, LIVE, made("shop-v4")]
    )
    declared = Resource(
        type=str(RESOURCE["type"]),
        name="shop-v1",
        urn=str(KNOWN["urn"]),
        parent="",
        custom=True,
        read=False,
        dependencies=frozenset(),
        inputs=DECLARED,
        version="",
    )
    state = SimpleNamespace(of=lambda *_: SimpleNamespace(objects={}))
    monkeypatch.setattr(command, "declare", lambda *_: (declared,))
    monkeypatch.setattr(command, "meant_cluster", lambda _: environment)
    monkeypatch.setattr(command, "lock_holders", lambda *_: environment.holders)
    monkeypatch.setattr(command, "PulumiStack", lambda *_, **__: environment)
    monkeypatch.setattr(command, "State", state)
    monkeypatch.setattr(auto, "LocalWorkspace", lambda **_: environment)
    monkeypatch.setattr(orphan_processes, "orphans", lambda _: [])
    return environment


PROJECT: Any = SimpleNamespace(folder=Path(), name="mesh-app")


def holder(*, ended: bool) -> Holder:
    host = socket.gethostname() if ended else "build-7"
    return Holder(user="ann", host=host, pid=2**22 + 1, since=dt.datetime.now(dt.UTC))


def go(environment: Environment, agreed: Callable[[], bool] | None = None) -> None:
    recover(PROJECT, "dev", report_line=environment.told.append, agreed=agreed)


def test_a_lock_that_is_held_is_not_touched(environment: Environment) -> None:
    """Nor anything else; the error has the holder."""
    environment.holders = [holder(ended=True), holder(ended=False)]
    with pytest.raises(StackLocked, match="another update of it is running") as told:
        go(environment)
    assert "ann@build-7" in told.value.evidence
    assert environment.done == []


def test_everything_is_put_in_order(environment: Environment) -> None:
    """By Pulumi's own commands, which read the state that they write: none is imported."""
    environment.holders = [holder(ended=True)]
    go(environment)
    mark = f"label shop-v3 {{'mesh-app/stack': '{OWN}'}}"
    assert environment.done == ["cancel", "state repair", mark, "refresh", "up", "delete shop-v4"]
    assert not hasattr(environment, "import_stack")


def test_claims_of_providers_that_died_are_dropped(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also those of an update before the last one; a field taken out of the stack file later would stay."""
    notes = [{"manager": f"pulumi-kubernetes-{each}", "operation": "Apply"} for each in ("old", "new")]
    environment.live = [made("shop-v1", managedFields=notes)]
    kept = SimpleNamespace(inputs=DECLARED, manager="pulumi-kubernetes-new")
    state = SimpleNamespace(of=lambda *_: SimpleNamespace(objects={"urn": kept}))
    monkeypatch.setattr(command, "State", state)
    go(environment)
    assert "let go shop-v1 as pulumi-kubernetes-old" in environment.done
    assert "let go shop-v1 as pulumi-kubernetes-new" not in environment.done


def test_what_is_deleted_is_shown_before(environment: Environment) -> None:
    """By `pulumi up` and by `recover` itself; without a yes nothing is done."""
    go(environment, lambda: False)
    assert environment.done == []
    assert any("pulumi up will delete Deployment shop-v0" in each for each in environment.told)
    assert any(each.startswith("Deployment shop/shop-v4 is deleted") for each in environment.told)


def test_what_changed_while_the_question_was_open_stops_it(environment: Environment) -> None:
    """Another object to delete, or an update that began."""

    def agreed() -> bool:
        environment.live.append(made("shop-v5"))
        return True

    with pytest.raises(OperationError, match="changed before the confirmation"):
        go(environment, agreed)
    assert environment.done == []


def test_an_update_that_began_while_the_question_was_open_keeps_its_lock(environment: Environment) -> None:
    """The lock that was shown is gone, and this one is another."""
    environment.holders = [holder(ended=True)]

    def agreed() -> bool:
        environment.holders = [holder(ended=False)]
        return True

    with pytest.raises(StackLocked):
        go(environment, agreed)
    assert environment.done == []


def test_what_comes_after_the_answer_is_not_deleted(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was not shown. The next run shows it."""
    monkeypatch.setattr(Environment, "up", lambda environment: environment.live.append(made("shop-v5")))
    go(environment)
    assert "delete shop-v4" in environment.done
    assert "delete shop-v5" not in environment.done
    assert any("shop-v5 is new and remains" in each for each in environment.told)


def test_a_canary_goes_on_with_a_state_in_order(environment: Environment) -> None:
    """The cluster stays as it is."""
    settle(PROJECT, "dev", environment.told.append)
    assert environment.done == ["state repair", "refresh"]
    assert environment.pending == []
    environment.done.clear()
    settle(PROJECT, "dev", environment.told.append)
    assert environment.done == ["state repair"]


def test_an_abort_does_not_wait_for_tidiness(environment: Environment) -> None:
    """An update works beside operations that are open."""
    environment.fails.add("refresh")
    settle(PROJECT, "dev", environment.told.append)
    assert any("remain pending" in each for each in environment.told)


def test_the_inputs_of_what_was_being_made_are_its_labels() -> None:
    """An older version of the program made this one, without an identity."""
    assert "mesh-app/stack" not in str(INPUTS)
