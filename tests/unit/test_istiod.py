"""What istiod says is read as its debug endpoints write it, through forwarded ports that all share."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from components.rollout import istiod, kubectl
from components.rollout.istiod import QUERY_SECONDS, Istiod, IstiodUnavailable
from components.rollout.kubectl import KubectlTimeout
from tests.unit.istiods import FakeCluster, is_alive

SYNCZ = [
    {"proxy": "gateway.istio-system", "cluster_sent": "a", "cluster_acked": "a", "route_sent": "b"},
    {"proxy": "ztunnel.istio-system"},
]
V2 = {"version": "v2", "app": "shop"}
NOT_READY = {"status": "False", "lastTransitionTime": "2026-11-30T12:00:01Z"}

T = TypeVar("T")


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeCluster]:
    """Put its kubectl in front of PATH."""
    cluster = FakeCluster(tmp_path)
    monkeypatch.setenv("PATH", cluster.path)
    yield cluster
    cluster.close()


def syncz(*answers: object) -> list[dict[str, object]]:
    """Make the answers of so many istiods to the first question."""
    return [{"/debug/syncz": answer} for answer in answers]


def shards(health: int, **labels: str) -> dict[str, object]:
    """Write what istiod says of one Service with one pod."""
    endpoint = {"HealthStatus": health, "Labels": labels, "Addresses": ["10.244.0.9"]}
    return {"shop.team.svc.cluster.local": {"team": {"Shards": {"Kubernetes/Kubernetes": [endpoint]}}}}


def ask(question: Callable[[Istiod], Awaitable[T]], *, before: Callable[[], None] | None = None) -> T:
    """Ask once, in an update of its own; before that, something happens once the connections are there."""

    async def update() -> T:
        istiod = Istiod(context="lab", namespace="istio-system")
        if before:
            await istiod.connect()
            before()
        return await question(istiod)

    return asyncio.run(update())


def test_proxies_of_all_istiods(cluster: FakeCluster) -> None:
    """A proxy is connected to one of them; one with nothing of a kind has nothing to take."""
    cluster.add(*syncz(SYNCZ, [{"proxy": "shop.team"}]))
    proxies = ask(Istiod.proxies)
    assert set(proxies) == {"gateway.istio-system", "ztunnel.istio-system", "shop.team"}
    assert proxies["gateway.istio-system"].waits(("route",))
    assert not proxies["gateway.istio-system"].waits(("cluster", "endpoint"))
    assert not proxies["ztunnel.istio-system"].waits(("route", "listener"))


def test_an_istiod_without_proxies(cluster: FakeCluster) -> None:
    """It says null."""
    cluster.add(*syncz(None, SYNCZ))
    assert len(ask(Istiod.proxies)) == 2


@pytest.mark.parametrize(
    ("answers", "known"),
    [
        ([shards(1, **V2)], True),
        ([shards(1, **V2), shards(1, version="v1", app="shop")], False),
        ([shards(2, **V2)], False),
        ([shards(4, **V2)], False),
        ([{}], False),
    ],
)
def test_pods_are_known(cluster: FakeCluster, answers: list[object], known: bool) -> None:
    """By every istiod, healthy, and by all labels."""
    cluster.add(*({"/debug/endpointShardz": answer} for answer in answers))
    assert ask(lambda istiod: istiod.has_endpoints("shop.team.svc", V2)) is known


def test_another_service_with_a_longer_name_is_another(cluster: FakeCluster) -> None:
    """`shop` is not `shopping`, and no part of a name counts."""
    cluster.add({"/debug/endpointShardz": shards(1, version="v2")})
    assert not ask(lambda istiod: istiod.has_endpoints("sho.team.svc", {"version": "v2"}))


@pytest.mark.parametrize(("generation", "known"), [(3, True), (2, False), (None, False)])
def test_what_istiod_has_read_is_known_by_its_generation(
    cluster: FakeCluster, generation: int | None, known: bool
) -> None:
    """Of every istiod; one with nothing says null."""
    routes = {"metadata": {"uid": "a", "generation": 3}}
    other = {"metadata": {"uid": "a", "generation": generation}}
    derived = {"metadata": {"name": "from-an-http-route"}}
    cluster.add({"/debug/configz": [routes, derived]}, {"/debug/configz": [other] if generation else None})
    assert ask(lambda istiod: istiod.has_read([routes])) is known
    assert ask(lambda istiod: istiod.has_read([]))


def test_ten_services_share_a_connection_to_each_istiod_and_two_questions_a_second(
    cluster: FakeCluster,
) -> None:
    """630 kubectl processes for ten services in 12 s there were before."""
    everything = {"/debug/syncz": SYNCZ, "/debug/endpointShardz": shards(1, **V2), "/debug/configz": []}
    cluster.add(everything, everything)

    async def service(istiod: Istiod, ends: float) -> None:
        while time.monotonic() < ends:
            await asyncio.gather(
                istiod.proxies(), istiod.has_endpoints("shop.team.svc", V2), istiod.has_read([])
            )

    async def update() -> None:
        shared = Istiod(context="lab", namespace="istio-system")
        ends = time.monotonic() + 4
        await asyncio.gather(*(service(shared, ends) for _ in range(10)))

    begun = time.monotonic()
    asyncio.run(update())
    seconds = time.monotonic() - begun
    assert len(cluster.forwards()) == 2
    assert cluster.commands(" get pods ") <= 1 + seconds / istiod.LIST_SECONDS
    for each in cluster.istiods:
        assert 2 < len(each.asked) <= 1 + seconds / QUERY_SECONDS


def test_an_answer_was_asked_for_after_its_call(cluster: FakeCluster) -> None:
    """Who changes something may trust what comes then: an answer on its way to another is too old."""
    cluster.add(*syncz([]))

    async def update() -> tuple[int, int]:
        istiod = Istiod(context="lab", namespace="istio-system")
        early = asyncio.ensure_future(istiod.proxies())
        await asyncio.to_thread(cluster.istiods[0].is_asked.wait)
        cluster.istiods[0].answers["/debug/syncz"] = SYNCZ
        late = await istiod.proxies()
        return len(await early), len(late)

    assert asyncio.run(update())[1] == 2
    assert len(cluster.istiods[0].asked) == 2


def test_the_port_is_the_one_of_the_annotation(cluster: FakeCluster) -> None:
    """As istioctl takes it."""
    cluster.add(*syncz(SYNCZ))
    pod = cluster.istiods[0].pod()
    pod["metadata"]["annotations"] = {"prometheus.io/port": "15099"}
    cluster.pods(pod)
    ask(Istiod.proxies)
    assert cluster.commands("port-forward pod/istiod-0 :15099") == 1


def test_an_istiod_that_begins_or_ends_is_not_asked(cluster: FakeCluster) -> None:
    """The one has no proxies yet, the other has none any more."""
    cluster.add(*syncz(SYNCZ, None, None))
    ready, begins, ends = cluster.istiods
    cluster.pods(ready.pod(), begins.pod(**NOT_READY), ends.pod(deletionTimestamp="2026-11-30T12:00:00Z"))
    assert len(ask(Istiod.proxies)) == 2
    assert not begins.asked
    assert not ends.asked


def test_one_that_was_ready_is_asked_for_its_proxies(cluster: FakeCluster) -> None:
    """Frozen, it is not ready after some seconds; its proxies stay connected, and get nothing."""
    cluster.add(*syncz(None, SYNCZ))
    good, frozen = cluster.istiods
    cluster.pods(good.pod(), frozen.pod(status="False", lastTransitionTime="2026-11-30T13:00:00Z"))
    assert len(ask(Istiod.proxies)) == 2


def test_a_new_istiod_is_asked_too(cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy may have come to it meanwhile."""
    monkeypatch.setattr(istiod, "LIST_SECONDS", 0.2)
    cluster.add(*syncz([]))

    async def update() -> int:
        asked = Istiod(context="lab", namespace="istio-system")
        await asked.proxies()
        cluster.add(*syncz(SYNCZ))
        return len(await asked.proxies())

    assert asyncio.run(update()) == 2


def test_another_istiod_in_place_of_one_that_went_away(cluster: FakeCluster) -> None:
    """With its pod kubectl ends. The update goes on with the one that there is."""
    cluster.add(*syncz([], SYNCZ))
    first, second = cluster.istiods
    cluster.pods(first.pod())

    async def update() -> int:
        asked = Istiod(context="lab", namespace="istio-system")
        await asked.proxies()
        cluster.pods(second.pod())
        first.close()
        os.kill(cluster.forwards()[0], signal.SIGTERM)
        return len(await asked.proxies())

    assert asyncio.run(update()) == 2
    cluster.istiods.remove(first)


def test_one_that_does_not_answer_is_named(cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two, the one that is frozen."""
    cluster.add(*syncz(SYNCZ, []))

    def freeze() -> None:
        cluster.istiods[1].frozen.set()
        monkeypatch.setattr(istiod, "ANSWER_SECONDS", 1.5)

    with pytest.raises(KubectlTimeout, match=r"no answer within 1.5 s: pod/istiod-1$"):
        ask(Istiod.proxies, before=freeze)


def test_one_that_fails_is_named_with_its_own_words(cluster: FakeCluster) -> None:
    """Whatever the others answer."""
    cluster.add(*syncz(SYNCZ, "unauthorized"))
    cluster.istiods[1].status = 401
    with pytest.raises(
        IstiodUnavailable, match=r"pod/istiod-1 answers /debug/syncz with status 401: unauthorized"
    ):
        ask(Istiod.proxies)


@pytest.mark.parametrize("frame", ["length", "chunks", "end"])
def test_an_answer_ends_where_it_says(cluster: FakeCluster, frame: str) -> None:
    """Not a second later, when a forwarded connection ends."""
    cluster.add(*syncz(SYNCZ * 50))
    cluster.istiods[0].frame = frame
    assert len(ask(Istiod.proxies)) == 2


@pytest.mark.parametrize("broken", ["too short", "no JSON"])
def test_an_answer_that_breaks_off_is_asked_for_again(cluster: FakeCluster, broken: str) -> None:
    """As where the API server goes away meanwhile."""
    answers = iter([(broken, "[{"), ("length", json.dumps(SYNCZ))])
    cluster.add(*syncz(None))
    (istiod,) = cluster.istiods

    def answer() -> str:
        frame, text = next(answers)
        istiod.frame = "too short" if frame == "too short" else "length"
        return text

    istiod.answers["/debug/syncz"] = answer
    assert len(ask(Istiod.proxies)) == 2
    assert len(istiod.asked) == 2


def test_one_that_never_answers_in_whole_is_named(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the beginning of what it says."""
    cluster.add(*syncz(SYNCZ, '[{"proxy": "shop'))
    with pytest.raises(KubectlTimeout, match=r"pod/istiod-1 does not answer /debug/syncz in JSON: b'.*shop'"):
        ask(Istiod.proxies, before=lambda: monkeypatch.setattr(istiod, "ANSWER_SECONDS", 1.5))


def test_where_none_is_ready_the_update_waits_for_one(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may send nothing, as long as it stays so: that is no reason to do without its word."""
    monkeypatch.setattr(istiod, "ANSWER_SECONDS", 1.0)
    cluster.add(*syncz(SYNCZ))
    cluster.pods(cluster.istiods[0].pod(**NOT_READY))
    with pytest.raises(KubectlTimeout, match="no istiod of namespace istio-system is ready: pod/istiod-0"):
        ask(Istiod.proxies)


def test_who_may_not_forward_a_port_is_told(cluster: FakeCluster) -> None:
    """With kubectl's own words, at once."""
    cluster.add(*syncz(SYNCZ))
    cluster.write("istiod-0.refusal", 'error: pods "istiod-0" is forbidden: User "ci" cannot create resource')
    begun = time.monotonic()
    with pytest.raises(
        IstiodUnavailable, match='pod/istiod-0: error: pods "istiod-0" is forbidden: User "ci"'
    ):
        ask(Istiod.proxies)
    assert time.monotonic() - begun < 5


def test_an_api_server_that_is_away_is_asked_until_it_is_back(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody goes on without istiod's word for that; one that stays away is as one that is silent."""
    cluster.add(*syncz(SYNCZ))
    script = cluster.folder / "kubectl"
    works = script.read_text()
    away = "The connection to the server 127.0.0.1:6443 was refused - did you specify the right host or port?"
    cluster.write("answers", works)
    back = f"mv {cluster.folder}/answers {script}\nchmod +x {script}\n"
    script.write_text(f"#!/bin/sh\n{back}echo '{away}' >&2\nexit 1\n")
    assert len(ask(Istiod.proxies)) == 2
    script.write_text(f"#!/bin/sh\necho '{away}' >&2\nexit 1\n")
    monkeypatch.setattr(kubectl, "ANSWER_SECONDS", 4.0)
    with pytest.raises(KubectlTimeout, match="no answer within 4 s: The connection to the server"):
        ask(Istiod.proxies)


def test_no_istiod_there(cluster: FakeCluster) -> None:
    """The namespace and the context are named."""
    cluster.add()
    with pytest.raises(IstiodUnavailable, match="no istiod runs in namespace istio-system of context lab"):
        ask(Istiod.proxies)


def test_no_kubectl(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """That is what is said."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(IstiodUnavailable, match="kubectl is not on PATH"):
        ask(Istiod.proxies)


def test_the_forwarded_port_ends_with_the_program(cluster: FakeCluster) -> None:
    """In an update of the Automation API the process goes on, and its loop ends."""
    cluster.add(*syncz(SYNCZ))
    ask(Istiod.proxies)
    (pid,) = cluster.forwards()
    assert not is_alive(pid)


def test_the_forwarded_port_ends_with_a_program_that_is_killed(cluster: FakeCluster) -> None:
    """As by Pulumi, after a second interrupt."""
    cluster.add(*syncz(SYNCZ))
    program = (
        "import asyncio\nfrom components.rollout.istiod import Istiod\n"
        "async def update():\n"
        "    await Istiod(context='lab', namespace='istio-system').proxies()\n"
        "    print('asked', flush=True)\n    await asyncio.sleep(60)\n"
        "asyncio.run(update())\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "asked\n"
        (pid,) = cluster.forwards()
        assert is_alive(pid)
        process.kill()
    ends = time.monotonic() + 5
    while is_alive(pid) and time.monotonic() < ends:
        time.sleep(0.05)
    assert not is_alive(pid)
