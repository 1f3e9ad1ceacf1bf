"""What istiod says is read as its debug endpoints write it. `kubectl` is a script of the test's own."""

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from components.istiod import Istiod, UnaskedError
from components.kubectl import SilentError

ISTIOD = Istiod(context="lab", namespace="istio-system")

SYNCZ = [
    {"proxy": "gateway.istio-system", "cluster_sent": "a", "cluster_acked": "a", "route_sent": "b"},
    {"proxy": "ztunnel.istio-system"},
]


def shards(health: int, **labels: str) -> dict[str, object]:
    """Write what istiod says of one Service with one pod."""
    endpoint = {"HealthStatus": health, "Labels": labels, "Addresses": ["10.244.0.9"]}
    return {"shop.team.svc.cluster.local": {"team": {"Shards": {"Kubernetes/Kubernetes": [endpoint]}}}}


Kubectl = Callable[..., None]


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kubectl:
    """Put a kubectl in front of PATH that names pods and answers with JSON, one text for each pod."""

    def install(*answers: object, code: int = 0) -> None:
        pods = "\n".join(f"pod/istiod-{nth}" for nth, _ in enumerate(answers))
        (tmp_path / "pods").write_text(pods)
        for nth, answer in enumerate(answers):
            (tmp_path / f"istiod-{nth}").write_text(json.dumps(answer))
        script = tmp_path / "kubectl"
        script.write_text(
            "#!/bin/sh\nshift 4\n"
            f'if [ "$1" = get ]; then cat {tmp_path}/pods; else cat {tmp_path}/"${{2#pod/}}"; fi\n'
            f"[ {code} = 0 ] || echo 'pods is forbidden' >&2\nexit {code}\n"
        )
        script.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    return install


def test_proxies_of_all_istiods(kubectl: Kubectl) -> None:
    """A proxy is connected to one of them; one with nothing of a kind has nothing to take."""
    kubectl(SYNCZ, [{"proxy": "shop.team"}])
    proxies = asyncio.run(ISTIOD.proxies())
    assert set(proxies) == {"gateway.istio-system", "ztunnel.istio-system", "shop.team"}
    assert proxies["gateway.istio-system"].waits(("route",))
    assert not proxies["gateway.istio-system"].waits(("cluster", "endpoint"))
    assert not proxies["ztunnel.istio-system"].waits(("route", "listener"))


def test_an_istiod_without_proxies(kubectl: Kubectl) -> None:
    """It says null."""
    kubectl(None, SYNCZ)
    assert len(asyncio.run(ISTIOD.proxies())) == 2


@pytest.mark.parametrize(
    ("answers", "known"),
    [
        ([shards(1, version="v2", app="shop")], True),
        ([shards(1, version="v2", app="shop"), shards(1, version="v1", app="shop")], False),
        ([shards(2, version="v2", app="shop")], False),
        ([shards(4, version="v2", app="shop")], False),
        ([{}], False),
    ],
)
def test_pods_are_known(kubectl: Kubectl, answers: list[object], known: bool) -> None:
    """By every istiod, healthy, and by all labels."""
    kubectl(*answers)
    assert asyncio.run(ISTIOD.knows_pods("shop.team.svc", {"app": "shop", "version": "v2"})) is known


@pytest.mark.parametrize(("generation", "known"), [(3, True), (2, False), (None, False)])
def test_what_istiod_has_read_is_known_by_its_generation(
    kubectl: Kubectl, generation: int | None, known: bool
) -> None:
    """Of every istiod; one with nothing says null."""
    routes = {"metadata": {"uid": "a", "generation": 3}}
    other = {"metadata": {"uid": "a", "generation": generation}}
    kubectl([routes], [other] if generation else None)
    assert asyncio.run(ISTIOD.knows([routes])) is known
    assert asyncio.run(ISTIOD.knows([]))


def test_an_api_server_that_is_away_is_asked_until_it_is_back(
    kubectl: Kubectl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody goes on without istiod's word for that; one that stays away is as one that is silent."""
    kubectl(SYNCZ)
    answers, script = tmp_path / "answers", tmp_path / "kubectl"
    answers.write_text(script.read_text())
    away = "The connection to the server 127.0.0.1:6443 was refused - did you specify the right host or port?"
    script.write_text(f"#!/bin/sh\nmv {answers} {script}\nchmod +x {script}\necho '{away}' >&2\nexit 1\n")
    assert len(asyncio.run(ISTIOD.proxies())) == 2
    script.write_text(f"#!/bin/sh\necho '{away}' >&2\nexit 1\n")
    monkeypatch.setattr("components.kubectl.ANSWER_SECONDS", 1.0)
    with pytest.raises(SilentError, match="no answer within 1 s: The connection to the server"):
        asyncio.run(ISTIOD.proxies())


def test_another_service_with_a_longer_name_is_another(kubectl: Kubectl) -> None:
    """`shop` is not `shopping`, and no part of a name counts."""
    kubectl(shards(1, version="v2"))
    assert not asyncio.run(ISTIOD.knows_pods("sho.team.svc", {"version": "v2"}))


def test_who_may_not_ask_is_told(kubectl: Kubectl) -> None:
    """With kubectl's own words."""
    kubectl(SYNCZ, code=1)
    with pytest.raises(UnaskedError, match="pods is forbidden"):
        asyncio.run(ISTIOD.proxies())


def test_no_istiod_there(kubectl: Kubectl) -> None:
    """The namespace and the context are named."""
    kubectl()
    with pytest.raises(UnaskedError, match="no istiod runs in namespace istio-system of context lab"):
        asyncio.run(ISTIOD.proxies())


def test_no_kubectl(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """That is what is said."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnaskedError, match="kubectl is not on PATH"):
        asyncio.run(ISTIOD.proxies())
