"""What an update waits for before it deletes a version, and when it stops instead. `kubectl` is a script."""

import asyncio
import datetime as dt
import json
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pulumi
import pytest

from components import handover as hooks
from components import kubectl as asking
from components import proxies, settling
from components.handover import Handover
from components.istiod import KINDS
from components.proxies import HandoverError
from components.settling import GATHERING_SECONDS
from components.update import Update
from tests.unit.stacks import stack

DRAIN_SECONDS = 5
LABELS = {"app": "springbootapp", "app.kubernetes.io/managed-by": "pulumi"}


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Time passes only while somebody sleeps."""
    clock = SimpleNamespace(now=0.0)

    async def sleep(seconds: float) -> None:
        clock.now += seconds

    for module in (settling, proxies):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock.now))
    for module in (settling, proxies, hooks):
        monkeypatch.setattr(module, "asyncio", SimpleNamespace(**{**vars(asyncio), "sleep": sleep}))
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: False)
    return clock


Mesh = Callable[..., None]


@pytest.fixture
def mesh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mesh:
    """A cluster with these versions, whose routes were written so many seconds ago, and one proxy.

    istiod has read the routes as they are when it is asked for the so manyth time.
    """

    def install(
        *versions: str, age: float = 3600, taken: str = "new", silent: bool = False, asked: int = 1
    ) -> None:
        time = (dt.datetime.now(dt.UTC) - dt.timedelta(seconds=age)).strftime("%Y-%m-%dT%H:%M:%SZ")
        metadata = {"labels": LABELS, "managedFields": [{"time": time}], "uid": "a", "generation": 2}
        pods = [{"kind": "Deployment", "metadata": {"labels": {**LABELS, "version": v}}} for v in versions]
        items = [{"kind": "VirtualService", "metadata": metadata}, *pods]
        (tmp_path / "everything").write_text(json.dumps({"items": items}))
        (tmp_path / "routes").write_text(json.dumps({"items": items[:1]}))
        for file, generation in (("configz.old", 1), ("configz", 2)):
            known = {"kind": "VirtualService", "metadata": {**metadata, "generation": generation}}
            (tmp_path / file).write_text(json.dumps([known]))
        marks = {f"{kind}_sent": "new" for kind in KINDS} | {f"{kind}_acked": taken for kind in KINDS}
        (tmp_path / "syncz").write_text(json.dumps([{"proxy": "gateway", **marks}]))
        script = tmp_path / "kubectl"
        script.write_text(
            f"#!/bin/bash\ncd {tmp_path}\nshift 4\n"
            + ('[ "$1" != exec ] || exec sleep 60\n' if silent else "")
            + 'case "$2 ${!#}" in\n'
            "pods\\ *) echo pod/istiod;;\n"
            "deployments,*) cat everything;;\n"
            "destinationrules*) cat routes;;\n"
            f"*configz) echo >>asked; [ $(wc -l <asked) -ge {asked} ] && cat configz || cat configz.old;;\n"
            "*syncz) cat syncz;;\n"
            "esac\n"
        )
        script.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    return install


def end_of_program(handover: Handover | None = None) -> None:
    """Come to where the engine would begin to delete."""
    declared = stack()
    handover = handover or Handover(declared.services[0], declared, Update(declared))
    asyncio.run(handover._let_go("routes"))  # noqa: SLF001 (the program's end calls it)


def test_where_no_version_goes_nothing_is_waited_for(mesh: Mesh, clock: SimpleNamespace) -> None:
    """However new the routes are."""
    mesh("v1", "v2", age=0)
    end_of_program()
    assert clock.now == 0


def test_a_version_that_lost_its_requests_in_an_earlier_update_is_waited_for(
    mesh: Mesh, clock: SimpleNamespace
) -> None:
    """That one was killed before it could wait: istiod may still gather, requests may be in flight."""
    mesh("v0", "v1", "v2", age=1)
    end_of_program()
    assert GATHERING_SECONDS + DRAIN_SECONDS <= clock.now < GATHERING_SECONDS + DRAIN_SECONDS + 1


def test_one_that_lost_them_long_ago_costs_a_look(mesh: Mesh, clock: SimpleNamespace) -> None:
    """Every proxy has nothing due."""
    mesh("v0", "v1", "v2")
    end_of_program()
    assert clock.now < 1


def test_a_proxy_that_lags_behind_keeps_the_version(mesh: Mesh) -> None:
    """The program ends in an error, and the engine deletes nothing."""
    mesh("v0", "v1", "v2", taken="old")
    with pytest.raises(HandoverError, match=r"v0 keeps subset and pods, because after 60 s .* gateway"):
        end_of_program()


def test_an_istiod_that_has_not_read_the_routes_keeps_the_version(mesh: Mesh) -> None:
    """It sends nothing then, which looks like a change that concerns no proxy."""
    mesh("v0", "v1", "v2", asked=10**9)
    with pytest.raises(HandoverError, match=r"v0 keeps subset and pods, .* istiod has not read"):
        end_of_program()


def test_what_istiod_reads_late_it_may_still_gather(mesh: Mesh, clock: SimpleNamespace) -> None:
    """As when its watch comes back after an API server that was away."""
    mesh("v0", "v1", "v2", asked=3)
    end_of_program()
    assert GATHERING_SECONDS <= clock.now < GATHERING_SECONDS + 2


def test_a_silent_istiod_keeps_it_too(mesh: Mesh, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be frozen, and its proxies with it as they were."""
    monkeypatch.setattr(asking, "ANSWER_SECONDS", 0.5)
    mesh("v0", "v1", "v2", age=1, silent=True)
    with pytest.raises(HandoverError, match=r"istiod is silent: no answer within 0.5 s: .*rollout restart"):
        end_of_program()


def test_a_rollout_that_failed_stops_the_weights_and_ends_the_update(mesh: Mesh) -> None:
    """A hook that fails after an update would only warn."""
    mesh("v1", "v2")
    declared = stack()
    handover = Handover(declared.services[0], declared, Update(declared))
    handover._readiness["v1"].failure = "no weight moves, because …"  # noqa: SLF001 (its hook sets it)
    with pytest.raises(HandoverError, match="springbootapp: no weight moves"):
        end_of_program(handover)
    with pytest.raises(HandoverError, match="springbootapp: no weight moves"):
        asyncio.run(handover._routes_change(SimpleNamespace(old_inputs={}, new_inputs={})))  # type: ignore[arg-type] # noqa: SLF001


@pytest.mark.parametrize(
    ("controller", "observed", "is_observed"),
    [
        ("istio.io/gateway-controller", 2, True),
        ("istio.io/gateway-controller", 1, False),
        ("gone.example.com/controller", 1, True),
    ],
)
def test_a_route_of_the_gateway_api_tells_what_istiod_has_read(
    controller: str, observed: int, is_observed: bool
) -> None:
    """What others note, or noted before they went, says nothing of istiod."""
    note = {"controllerName": controller, "conditions": [{"observedGeneration": observed}]}
    route = {"metadata": {"generation": 2}, "status": {"parents": [note]}}
    assert proxies._is_observed(route) is is_observed  # noqa: SLF001 (the rule alone)
