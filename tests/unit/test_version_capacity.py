"""With how many pods a version gets its first request. `kubectl` is a script of the test's own."""

import asyncio
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pulumi
import pytest

from components.rollout import handover as hooks
from components.rollout import kubectl, pod_readiness
from components.rollout.handover import Handover
from components.rollout.live_objects import Ref
from components.rollout.live_state import LiveState, LiveVersions
from components.rollout.ownership import Ownership
from components.rollout.proxy_status import HandoverError, ProxyStatus
from components.rollout.superseded_routes import SupersededRoutes
from components.rollout.update import Update
from tests.unit.stacks import stack
from tests.unit.test_rollout_status import available, scaler

V2 = "springbootapp-v2"
ROUTES_TO_V1 = {"spec": {"http": [{"route": [{"destination": {"subset": "v1"}}]}]}}
ROUTES_TO_V2 = {"spec": {"http": [{"route": [{"destination": {"subset": "v2"}}]}]}}


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is waited for of proxies, in its order. Time passes only while somebody sleeps."""
    found: list[str] = []
    clock = SimpleNamespace(now=0.0)

    async def sleep(seconds: float) -> None:
        clock.now += seconds

    def recorded(name: str) -> Callable[..., Any]:
        async def record(*_: object, **__: object) -> None:
            found.append(name)

        return record

    for name in ("sample", "wait_for_endpoints", "wait_until_synced"):
        monkeypatch.setattr(ProxyStatus, name, recorded(name))
    monkeypatch.setattr(pod_readiness, "time", SimpleNamespace(monotonic=lambda: clock.now))
    monkeypatch.setattr(pod_readiness, "asyncio", SimpleNamespace(sleep=sleep, gather=asyncio.gather))
    return found


Pods = Callable[..., None]


@pytest.fixture
def pods(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pods:
    """A cluster whose Deployment of v2 is seen like this, one look after the other, and then as at last."""

    def install(*samples: list[dict[str, Any]]) -> None:
        for nth, objects in enumerate(samples):
            (tmp_path / f"look{nth}").write_text(json.dumps({"items": objects}))
        script = tmp_path / "kubectl"
        script.write_text(
            f"#!/bin/bash\ncd {tmp_path}\n"
            """case "$*" in *--all-namespaces*) echo '{"items": []}'; exit;; esac\n"""
            f"echo >>asked\nnth=$(($(wc -l <asked) - 1))\n"
            f"exec cat look$((nth < {len(samples)} ? nth : {len(samples) - 1}))\n"
        )
        script.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    return install


def of_v2(count: int, **changes: int) -> dict[str, Any]:
    """Its Deployment with so many available pods."""
    deployment = available(count, **changes)
    return {**deployment, "metadata": {**deployment["metadata"], "name": V2}}


def routes_change(*, old: object = ROUTES_TO_V1, new: object = ROUTES_TO_V2, **changes: object) -> None:
    """Let the engine change the routes of a stack whose v2 shall have 4 pods at least."""
    declared = stack(**changes)
    handover = Handover(declared.services[0], declared, Update(declared, Ownership(declared)))
    args = SimpleNamespace(old_inputs=old, new_inputs=new)
    hook = handover._before_routes_update if old else handover._before_routes_create  # noqa: SLF001 (the engine calls them)
    asyncio.run(hook(args))  # type: ignore[arg-type]


SCALING = {"versions__v2__autoscaling": {"min": 4, "max": 9}}
FIXED = {"versions__v2__replicas": 4}


def test_a_version_gets_its_first_request_with_the_pods_that_its_autoscaler_shall_keep(
    events: list[str], pods: Pods
) -> None:
    """It raises a new Deployment 15 s after it was made; meanwhile there is one pod, and it is ready."""
    scaled = scaler(V2)
    pods([of_v2(1), scaled], [of_v2(1, wanted=4), scaled], [of_v2(3, wanted=4), scaled], [of_v2(4), scaled])
    routes_change(**SCALING)
    assert Path(os.environ["PATH"].partition(":")[0], "asked").read_text().count("\n") == 4
    assert events == ["wait_for_endpoints", "wait_until_synced"]


def test_before_the_first_routes_as_well(events: list[str], pods: Pods) -> None:
    """Only that there are no proxies to wait for yet."""
    pods([of_v2(1), scaler(V2)], [of_v2(4), scaler(V2)])
    routes_change(old=None, **SCALING)
    assert Path(os.environ["PATH"].partition(":")[0], "asked").read_text().count("\n") == 2
    assert events == []


def test_one_that_was_scaled_down_by_hand_gets_none(events: list[str], pods: Pods) -> None:
    """While it had no weight: the update ends soon, and names the command that gives it its pods."""
    pods([of_v2(2)])
    with pytest.raises(HandoverError) as failure:
        routes_change(**FIXED)
    assert str(failure.value) == (
        "springbootapp: the weights are not changed, because v2 has fewer pods than declared:\n"
        "Deployment springbootapp-v2: it is scaled to 2 of the 4 declared pods; "
        "`pulumi up --refresh --run-program` restores the number\n"
        "more: kubectl describe deployment/springbootapp-v2 --namespace springistiodemo"
    )
    assert events == []


def test_one_that_has_weight_already_is_not_waited_for(events: list[str], pods: Pods) -> None:
    """Its weight moves with the pods that it has: it serves with them."""
    pods([of_v2(1)])
    routes_change(old=ROUTES_TO_V2, **FIXED)
    assert events == []


def test_an_api_server_that_does_not_answer_moves_no_weight(
    events: list[str], pods: Pods, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody can tell how many pods there are."""
    monkeypatch.setattr(kubectl, "ANSWER_SECONDS", 0.1)
    pods([])
    script = Path(os.environ["PATH"].partition(":")[0], "kubectl")
    script.write_text("#!/bin/bash\nexec sleep 60\n")
    with pytest.raises(HandoverError, match="v2 gets no requests, because the state of its pods is unknown"):
        routes_change(**FIXED)
    assert events == []


def test_the_engine_calls_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each hook is bound to its step of the object that it is about."""
    monkeypatch.setattr(hooks, "is_outside_engine", lambda: False)
    declared = stack()
    update = Update(declared, Ownership(declared))
    bound = SimpleNamespace(
        of=lambda kind, name, _: f"{kind} {name}", on_error=lambda kind, name, _: f"{kind} {name}"
    )
    monkeypatch.setattr(update, "hooks", bound)
    handover = Handover(declared.services[0], declared, update)
    pods = handover.of_pods("v2")
    assert pods
    names = [str(each) for each in (pods.before_update, pods.after_update, pods.on_error)]
    assert names == [f"['{kind} {V2}']" for kind in ("replicas-change", "pods-updated", "pods-unready")]
    for first, created in ((True, "before-routes-create shop"), (False, "before-routes-update shop")):
        routes = handover.of_routes("shop", first=first)
        assert routes
        names = [str(each) for each in (routes.before_create, routes.before_update)]
        assert names == [f"['{created}']", "['before-routes-update shop']"]


def test_routes_of_another_name_go_once_the_new_ones_are_everywhere(
    events: list[str], pods: Pods, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And before the engine deletes what they lead to: the subset, the pods."""
    old = Ref(kind="VirtualService", api_version="networking.istio.io/v1", namespace="old", name="shop")

    async def of(_: object, hosts: Sequence[str]) -> list[Ref]:
        return [old] if hosts else []

    async def remove(_: object, refs: Sequence[Ref]) -> None:
        events.append(f"delete {', '.join(map(str, refs))}")

    async def nothing(_: object) -> None:
        events.append("drain")

    monkeypatch.setattr(SupersededRoutes, "of", of)
    monkeypatch.setattr(SupersededRoutes, "delete", remove)
    monkeypatch.setattr(hooks, "asyncio", SimpleNamespace(sleep=nothing, gather=asyncio.gather))
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: False)
    monkeypatch.setattr(LiveState, "of", lambda *_: nothing_left())
    pods([of_v2(4)])
    declared = stack(**FIXED)
    handover = Handover(declared.services[0], declared, Update(declared, Ownership(declared)))
    args = SimpleNamespace(old_inputs=None, new_inputs=ROUTES_TO_V2)

    async def update() -> None:
        await handover._before_routes_create(args)  # type: ignore[arg-type] # noqa: SLF001 (the engine calls it)
        events.append("created")
        await handover._release([])  # noqa: SLF001

    asyncio.run(update())
    assert events == [
        "wait_for_endpoints",
        "wait_until_synced",
        "created",
        "sample",
        f"delete {old}",
        "wait_until_synced",
        "drain",
    ]


async def nothing_left() -> LiveVersions:
    """No version that is declared no more."""
    return LiveVersions(versions=frozenset(), recent=False)
