"""What an update waits for before a version gets requests or is deleted, and when it stops instead.

The hooks are called as the engine calls them. istiod is a server of the test's own, `kubectl` a script.
"""

import asyncio
import datetime as dt
import json
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pulumi
import pytest

from components.gateway_api.http_route import http_route
from components.manifests.virtual_service import virtual_service
from components.model.stack import Stack
from components.rollout import handover as hooks
from components.rollout import istiod, proxy_status, proxy_sync, shared_query
from components.rollout.handover import Handover
from components.rollout.istiod import KINDS
from components.rollout.ownership import Ownership
from components.rollout.proxy_status import HandoverError
from components.rollout.proxy_sync import GATHERING_SECONDS
from components.rollout.update import Update
from tests.unit.istiods import FakeCluster
from tests.unit.stacks import stack

DRAIN_SECONDS = 5
LABELS = {"app": "springbootapp", "app.kubernetes.io/managed-by": "pulumi"}
ISTIO = "destinationrules.networking.istio.io,virtualservices.networking.istio.io"
GATEWAY_API = "httproutes.gateway.networking.k8s.io"
FORBIDDEN = 'error: pods "istiod-0" is forbidden: User "ci" cannot create resource "pods/portforward"'
ALL = {"v0": {"tag": "41"}, "v1": {"tag": "42"}, "v2": {"tag": "43"}}


@pytest.fixture(autouse=True)
def clock(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Time passes only while a task sleeps, and for one task at a time."""
    clock = SimpleNamespace(now=0.0)
    if "real_time" in request.fixturenames:
        return clock

    async def sleep(seconds: float) -> None:
        clock.now += seconds
        await asyncio.sleep(0)

    for module in (proxy_sync, proxy_status, shared_query, istiod):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock.now))
    for module in (proxy_sync, proxy_status, shared_query, istiod, hooks):
        monkeypatch.setattr(module, "asyncio", SimpleNamespace(**{**vars(asyncio), "sleep": sleep}))
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: False)
    return clock


@pytest.fixture
def real_time() -> None:
    """For tasks that sleep side by side."""


Mesh = Callable[..., FakeCluster]


@pytest.fixture
def mesh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mesh]:
    """A cluster with these versions, whose routes were written so many seconds ago, and one proxy.

    istiod has read the routes as they are when it is asked for the so manyth time.
    """
    cluster = FakeCluster(tmp_path)
    monkeypatch.setenv("PATH", cluster.path)

    def install(
        *versions: str,
        age: float = 3600,
        taken: str = "new",
        asked: int = 1,
        observed: int = 2,
        known: tuple[str, ...] = ("v0", "v1", "v2"),
    ) -> FakeCluster:
        written = (dt.datetime.now(dt.UTC) - dt.timedelta(seconds=age)).strftime("%Y-%m-%dT%H:%M:%SZ")
        metadata = {"labels": LABELS, "managedFields": [{"time": written}], "uid": "a", "generation": 2}
        routes = {
            "metadata": metadata,
            "status": {"parents": [note("istio.io/gateway-controller", observed)]},
        }
        pods = [{"kind": "Deployment", "metadata": {"labels": {**LABELS, "version": v}}} for v in versions]
        for kind, name in (
            ("VirtualService", "virtualservices.networking.istio.io"),
            ("HTTPRoute", GATEWAY_API),
        ):
            everything = [{"kind": kind, **routes}, *pods]
            cluster.write(f"objects deployments,{name}", json.dumps({"items": everything}))
        other = {"metadata": {"labels": {"app": "other"}, "uid": "b", "generation": 7}, "status": {}}
        for kinds in (ISTIO, GATEWAY_API):
            cluster.write(f"objects {kinds}", json.dumps({"items": [routes, other]}))
        rolled_out = [deployment(f"springbootapp-{version}") for version in ALL]
        cluster.write("objects deployments,replicasets,pods", json.dumps({"items": rolled_out}))
        cluster.write("objects events", json.dumps({"items": []}))
        marks = {f"{kind}_sent": "new" for kind in KINDS} | {f"{kind}_acked": taken for kind in KINDS}
        generations = iter([1] * (asked - 1) if asked < 1000 else iter(lambda: 1, 0))
        cluster.add(
            {
                "/debug/syncz": [{"proxy": "gateway", **marks}],
                "/debug/configz": lambda: [{"metadata": {"uid": "a", "generation": next(generations, 2)}}],
                "/debug/endpointShardz": endpoints(*known),
            }
        )
        return cluster

    yield install
    cluster.close()


def deployment(name: str) -> dict[str, object]:
    """Write a Deployment whose rollout is done."""
    status = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}
    metadata = {"name": name, "generation": 1, "uid": name}
    return {"kind": "Deployment", "metadata": metadata, "spec": {"replicas": 1}, "status": status}


def note(controller: str, observed: int) -> dict[str, object]:
    """Write what a controller notes of a route for one Gateway."""
    return {"controllerName": controller, "conditions": [{"observedGeneration": observed}]}


def endpoints(*versions: str) -> dict[str, object]:
    """Write a ready pod of each version, behind the app's Service and the version's own."""
    own = {v: {"HealthStatus": 1, "Labels": {"app": "springbootapp", "version": v}} for v in versions}
    hosts = {"springbootapp": list(own.values())} | {f"springbootapp-{v}": [each] for v, each in own.items()}
    return {
        f"{host}.springistiodemo.svc.cluster.local": {"springistiodemo": {"Shards": {"lab": shards}}}
        for host, shards in hosts.items()
    }


class Engine:
    """One update of one service: calls the hooks as Pulumi does, in a loop of its own for all of them."""

    def __init__(self, to: Stack | None = None) -> None:
        self.stack = to or stack()
        (self.service,) = self.stack.services
        self.handover = Handover(self.service, self.stack, Update(self.stack, Ownership(self.stack)))

    def routes(self, **weights: int) -> dict[str, Any]:
        """Write the inputs of a routes object with these weights."""
        versions = {version: ALL[version] for version in weights}
        of = stack(api=self.stack.api, versions=versions, weights=weights)
        (service,) = of.services
        return {"spec": virtual_service(service) if of.api == "istio" else http_route(service, of)}

    async def create_subset(self) -> None:
        """Before a subset is created."""
        await self.handover._before_subset_create(SimpleNamespace())  # type: ignore[arg-type] # noqa: SLF001

    async def change_routes(self, old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> None:
        """Before a routes object is changed, or created where there is no old one."""
        args: Any = SimpleNamespace(old_inputs=old, new_inputs=new)
        await self.handover._before_routes_update(args)  # noqa: SLF001

    async def end(self) -> None:
        """Come to where the engine would begin to delete."""
        await self.handover._release(["routes"])  # noqa: SLF001


def run(*steps: Callable[[], Awaitable[None]]) -> None:
    """Run the steps of an update one after the other."""

    async def update() -> None:
        for step in steps:
            await step()

    asyncio.run(update())


# Versions that leave


def test_where_no_version_goes_nothing_is_waited_for(mesh: Mesh, clock: SimpleNamespace) -> None:
    """However new the routes are."""
    cluster = mesh("v1", "v2", age=0)
    run(Engine().end)
    assert clock.now == 0
    assert not cluster.forwards()


@pytest.mark.parametrize("api", ["istio", "gateway-api"])
def test_a_version_that_loses_its_requests_is_waited_for_before_it_is_deleted(
    mesh: Mesh, clock: SimpleNamespace, api: str
) -> None:
    """Sampled before the routes change. Afterwards istiod may gather, and requests be in flight."""
    mesh("v0", "v1", "v2")
    engine = Engine(stack(api=api))
    old, new = engine.routes(v0=50, v1=50), engine.routes(v1=100)
    run(lambda: engine.change_routes(old, new), engine.end)
    assert GATHERING_SECONDS + DRAIN_SECONDS <= clock.now < GATHERING_SECONDS + DRAIN_SECONDS + 2


def test_it_is_drained_for_as_long_as_the_stack_says(mesh: Mesh, clock: SimpleNamespace) -> None:
    """Requests in flight are the app's own matter."""
    mesh("v0", "v1", "v2")
    engine = Engine(stack(handover={"drain": "40s"}))
    run(lambda: engine.change_routes(engine.routes(v0=50, v1=50), engine.routes(v1=100)), engine.end)
    assert GATHERING_SECONDS + 40 <= clock.now < GATHERING_SECONDS + 42


def test_a_proxy_that_keeps_the_old_routes_ends_the_update(mesh: Mesh) -> None:
    """Of a hook that fails after an update the engine makes a warning, and deletes the version's pods."""
    mesh("v0", "v1", "v2", taken="old")
    engine = Engine(stack())
    begin = engine.routes(v0=50, v1=50), engine.routes(v1=100)
    engine.handover._proxies.sample = nothing_seen  # type: ignore[method-assign] # noqa: SLF001
    with pytest.raises(
        HandoverError, match=r"subset and pods of v0 are not deleted, because after 60 s .* gateway"
    ):
        run(lambda: engine.change_routes(*begin), engine.end)


async def nothing_seen() -> dict[str, Any]:
    """Answer as an istiod without proxies."""
    return {}


def test_all_routes_objects_let_go_before_a_version_is_deleted(mesh: Mesh, clock: SimpleNamespace) -> None:
    """As one for the gateway and one for callers in the mesh: waited for together, and drained once."""
    cluster = mesh("v0", "v1", "v2")
    engine = Engine()
    old, new = engine.routes(v0=50, v1=50), engine.routes(v1=100)
    run(lambda: engine.change_routes(old, new), lambda: engine.change_routes(old, new), engine.end)
    assert len(engine.handover._progress.before_routes) == 2  # noqa: SLF001
    assert GATHERING_SECONDS + DRAIN_SECONDS <= clock.now < GATHERING_SECONDS + DRAIN_SECONDS + 2
    assert len(cluster.forwards()) == 1


def test_a_version_that_keeps_its_pods_is_not_waited_for(mesh: Mesh, clock: SimpleNamespace) -> None:
    """Without requests it loses nothing: a canary's rollback is quick."""
    cluster = mesh("v1", "v2")
    engine = Engine()
    run(lambda: engine.change_routes(engine.routes(v1=50, v2=50), engine.routes(v1=100, v2=0)), engine.end)
    assert clock.now == 0
    assert not cluster.forwards()


def test_a_version_that_lost_its_requests_in_an_earlier_update_is_waited_for(
    mesh: Mesh, clock: SimpleNamespace
) -> None:
    """That one was killed before it could wait: istiod may still gather, requests may be in flight."""
    mesh("v0", "v1", "v2", age=1)
    run(Engine().end)
    assert GATHERING_SECONDS + DRAIN_SECONDS <= clock.now < GATHERING_SECONDS + DRAIN_SECONDS + 2


def test_one_that_lost_them_long_ago_costs_a_look(mesh: Mesh, clock: SimpleNamespace) -> None:
    """Every proxy has nothing due."""
    mesh("v0", "v1", "v2")
    run(Engine().end)
    assert clock.now < 2


def test_a_proxy_that_lags_behind_keeps_the_version(mesh: Mesh) -> None:
    """The program ends in an error, and the engine deletes nothing."""
    mesh("v0", "v1", "v2", taken="old")
    with pytest.raises(
        HandoverError, match=r"subset and pods of v0 are not deleted, because after 60 s .* gateway"
    ):
        run(Engine().end)


def test_an_istiod_that_has_not_read_the_routes_keeps_the_version(mesh: Mesh) -> None:
    """It sends nothing then, which looks like a change that concerns no proxy."""
    mesh("v0", "v1", "v2", asked=10**9)
    with pytest.raises(HandoverError, match=r"subset and pods of v0 are not deleted, .* istiod has not read"):
        run(Engine().end)


def test_routes_of_the_gateway_api_that_istiod_has_not_read_keep_it_too(mesh: Mesh) -> None:
    """It notes on each which generation it has read."""
    mesh("v0", "v1", "v2", observed=1)
    with pytest.raises(
        HandoverError, match=r"subset and pods of v0 are not deleted, .* istiod has not read .*httproutes"
    ):
        run(Engine(stack(api="gateway-api")).end)


def test_what_istiod_reads_late_it_may_still_gather(mesh: Mesh, clock: SimpleNamespace) -> None:
    """As when its watch comes back after an API server that was away."""
    mesh("v0", "v1", "v2", asked=3)
    run(Engine().end)
    assert GATHERING_SECONDS <= clock.now < GATHERING_SECONDS + 3


def test_a_silent_istiod_keeps_it_too(mesh: Mesh, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be frozen, and its proxies with it as they were."""
    monkeypatch.setattr(istiod, "ANSWER_SECONDS", 0.5)
    mesh("v0", "v1", "v2", age=1).istiods[0].frozen.set()
    silent = r"istiod did not answer: no answer within 0.5 s: pod/istiod-0; .*rollout restart"
    with pytest.raises(HandoverError, match=silent):
        run(Engine().end)


def test_where_istiod_may_not_be_asked_the_update_waits_as_long_as_it_may_gather(
    mesh: Mesh, clock: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The warning has kubectl's words and names the rights that are missing."""
    warnings: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", warnings.append)
    mesh("v0", "v1", "v2", age=1).write("istiod-0.refusal", FORBIDDEN)
    run(Engine().end)
    assert clock.now == GATHERING_SECONDS + DRAIN_SECONDS
    (said,) = warnings
    assert f"pod/istiod-0: {FORBIDDEN}" in said
    assert (
        "permission to `get` and `list` pods and to `create` pods/portforward in namespace istio-system"
        in said
    )


# Versions that arrive


@pytest.mark.parametrize("api", ["istio", "gateway-api"])
def test_a_version_gets_its_first_request_when_every_proxy_has_its_subset(
    mesh: Mesh, clock: SimpleNamespace, api: str
) -> None:
    """Sampled before the first subset of the update: until then, nothing of it can have been sent."""
    cluster = mesh("v1", "v2")
    engine = Engine(stack(api=api))
    change = engine.routes(v1=100, v2=0), engine.routes(v1=90, v2=10)
    run(engine.create_subset, lambda: engine.change_routes(*change))
    assert GATHERING_SECONDS <= clock.now < GATHERING_SECONDS + 3
    asked = [path for _, path in cluster.istiods[0].asked]
    assert asked[:2] == ["/debug/syncz", "/debug/endpointShardz"]


def test_a_version_whose_subset_is_an_old_one_costs_three_questions(
    mesh: Mesh, clock: SimpleNamespace
) -> None:
    """A canary's first step: its pods, its objects, its proxies; the latter twice, to be sure."""
    cluster = mesh("v1", "v2")
    engine = Engine()
    run(lambda: engine.change_routes(engine.routes(v1=100, v2=0), engine.routes(v1=90, v2=10)))
    assert clock.now <= 1.5
    assert len(cluster.istiods[0].asked) <= 4


@pytest.mark.parametrize("api", ["istio", "gateway-api"])
def test_a_version_of_which_istiod_knows_no_pod_gets_no_request(mesh: Mesh, api: str) -> None:
    """Proxies would answer 503."""
    mesh("v1", "v2", known=("v1",))
    engine = Engine(stack(api=api))
    change = engine.routes(v1=100, v2=0), engine.routes(v1=90, v2=10)
    with pytest.raises(
        HandoverError, match="v2 gets no requests, because istiod has no ready pod of it after"
    ):
        run(lambda: engine.change_routes(*change))


def test_a_proxy_without_the_subset_keeps_the_version_from_requests(mesh: Mesh) -> None:
    """The update of the routes fails, and they stay as they are."""
    mesh("v1", "v2", taken="old")
    engine = Engine()
    change = engine.routes(v1=100, v2=0), engine.routes(v1=90, v2=10)
    with pytest.raises(HandoverError, match=r"v2 gets no requests, because after 60 s .* gateway"):
        run(lambda: engine.change_routes(*change))


def test_several_subsets_share_the_earliest_sample(mesh: Mesh) -> None:
    """Pulumi makes them at once. A sample between two of them would have the first one in it."""
    cluster = mesh("v1", "v2")
    engine = Engine()

    async def create() -> None:
        await asyncio.gather(*(engine.create_subset() for _ in range(3)))

    run(create, engine.create_subset)
    assert [path for _, path in cluster.istiods[0].asked] == ["/debug/syncz"]


def test_a_sample_that_could_not_be_taken_is_no_reason_to_take_it_again(
    mesh: Mesh, clock: SimpleNamespace
) -> None:
    """It would come after the subset; instead the update waits for as long as istiod may gather."""
    cluster = mesh("v1", "v2")
    cluster.write("istiod-0.refusal", FORBIDDEN)
    engine = Engine()

    async def allow() -> None:
        (cluster.folder / "istiod-0.refusal").unlink()

    change = engine.routes(v1=100, v2=0), engine.routes(v1=90, v2=10)
    run(engine.create_subset, allow, engine.create_subset, lambda: engine.change_routes(*change))
    assert GATHERING_SECONDS <= clock.now < GATHERING_SECONDS + 3


def test_a_version_arrives_once_for_all_routes_objects(mesh: Mesh) -> None:
    """With the first of them; another that is only created has to wait as well."""
    cluster = mesh("v1", "v2")
    engine = Engine()
    old, new = engine.routes(v1=100, v2=0), engine.routes(v1=90, v2=10)

    async def change() -> None:
        await asyncio.gather(engine.change_routes(old, new), engine.change_routes(old, new))

    run(change, lambda: engine.change_routes(old, new))
    assert [path for _, path in cluster.istiods[0].asked].count("/debug/endpointShardz") == 1


def test_a_routes_object_that_is_created_beside_others_waits_for_all_its_versions(mesh: Mesh) -> None:
    """Callers used the Service before, and would lose requests to a subset that is on its way."""
    mesh("v1", "v2", known=("v1",))
    engine = Engine()
    with pytest.raises(HandoverError, match="v2 gets no requests"):
        run(lambda: engine.change_routes(None, engine.routes(v1=90, v2=10)))


@pytest.mark.parametrize(
    ("first", "created"), [(True, "before-routes-create"), (False, "before-routes-update")]
)
def test_the_first_routes_object_is_created_without_a_wait_for_proxies(
    monkeypatch: pytest.MonkeyPatch, first: bool, created: str
) -> None:
    """Nobody reaches the service without it; what comes beside it has callers already."""
    monkeypatch.setattr(hooks, "is_outside_engine", lambda: False)
    monkeypatch.setattr("components.rollout.hooks.pulumi.ResourceHook", lambda kind, *_: kind)
    binding = Engine().handover.of_routes("springbootapp", first=first)
    assert binding
    assert list(map(str, binding.before_create or ())) == [created]
    assert list(map(str, binding.before_update or ())) == ["before-routes-update"]


@pytest.mark.usefixtures("real_time")
def test_ten_services_share_what_they_ask(mesh: Mesh) -> None:
    """In each a version gets its first request, at once: 630 kubectl for istiod alone there were before."""
    cluster = mesh("v1", "v2")
    declared = stack()
    update = Update(declared, Ownership(declared))
    engines = [Engine() for _ in range(10)]
    for engine in engines:
        engine.handover = Handover(engine.service, declared, update)
    old, new = engines[0].routes(v1=100, v2=0), engines[0].routes(v1=90, v2=10)

    async def change() -> None:
        await asyncio.gather(*(each.change_routes(old, new) for each in engines))

    begun = time.monotonic()
    run(change)
    seconds = time.monotonic() - begun
    assert len(cluster.forwards()) == 1
    assert cluster.commands(" get destinationrules") <= 2
    assert cluster.commands(" get pods") <= 1 + seconds / istiod.LIST_SECONDS
    assert len(cluster.istiods[0].asked) <= min(6, 1 + seconds / istiod.QUERY_SECONDS)


# Both


def test_a_rollout_that_failed_stops_the_weights_and_ends_the_update(mesh: Mesh) -> None:
    """A hook that fails after an update would only warn."""
    mesh("v1", "v2")
    engine = Engine()
    engine.handover._readiness["v1"].failure = "the weights are not changed, because …"  # noqa: SLF001 (its hook sets it)
    with pytest.raises(HandoverError, match="springbootapp: the weights are not changed"):
        run(engine.end)
    with pytest.raises(HandoverError, match="springbootapp: the weights are not changed"):
        run(lambda: engine.change_routes({}, {}))


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
    route = {"metadata": {"generation": 2}, "status": {"parents": [note(controller, observed)]}}
    assert proxy_status._is_observed(route) is is_observed  # noqa: SLF001 (the rule alone)
