"""How long pods are waited for, and what the engine is told then. `kubectl` is a script of the test's own."""

import asyncio
import json
import os
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pulumi
import pytest

from components.rollout import pod_readiness
from components.rollout.hooks import SharedHooks
from components.rollout.pod_readiness import PROVIDER_SECONDS, Readiness, wait_for_rollout
from components.rollout.rollout_status import AGAIN_SECONDS, READY_SECONDS, PodIssue, Rollout
from tests.unit.stacks import stack
from tests.unit.test_rollout_status import CASES, objects

LIMIT = 300.0
TIMED_OUT = "the Kubernetes API server reported that it failed: 'shop-v1' timed out waiting to be Ready"


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Time passes only while somebody sleeps."""
    clock = SimpleNamespace(now=0.0)

    async def sleep(seconds: float) -> None:
        clock.now += seconds

    monkeypatch.setattr(pod_readiness, "time", SimpleNamespace(monotonic=lambda: clock.now))
    monkeypatch.setattr(pod_readiness, "asyncio", SimpleNamespace(sleep=sleep, gather=asyncio.gather))
    return clock


def sample(*pod_issues: PodIssue, ready: int = 0, done: bool = False) -> Rollout:
    """Make a look at three pods."""
    return Rollout(done=done, ready=ready, wanted=3, pod_issues=pod_issues)


def watched(samples: Sequence[Rollout]) -> Sequence[PodIssue] | None:
    """Show looks one after the other, the last one for ever."""
    left = list(samples)

    async def next_look() -> Rollout:
        return left.pop(0) if len(left) > 1 else left[0]

    return asyncio.run(wait_for_rollout(next_look, LIMIT))


HOPELESS = PodIssue(pod="a", container="shop", reason="ImagePullBackOff", patience=AGAIN_SECONDS)
STARTS = PodIssue(pod="b", container="shop", reason="it has not started")


def test_a_rollout_that_gets_done_is_waited_for(clock: SimpleNamespace) -> None:
    """Pods that start need their time."""
    assert watched([sample(STARTS)] * 90 + [sample(done=True)]) is None
    assert clock.now == 90


def test_what_never_ends_is_told_soon(clock: SimpleNamespace) -> None:
    """Not at once: it may have stumbled. Of the others nothing is told, they are not to blame."""
    assert watched([sample(HOPELESS, STARTS)]) == [HOPELESS]
    assert clock.now == AGAIN_SECONDS


def test_what_stumbled_once_is_forgiven(clock: SimpleNamespace) -> None:
    """The time counts from when it complained without a break."""
    assert (
        watched([sample(HOPELESS)] * 9 + [sample(STARTS)] + [sample(HOPELESS)] * 9 + [sample(done=True)])
        is None
    )
    assert clock.now == 19


def test_a_slow_rollout_of_many_pods_goes_on(clock: SimpleNamespace) -> None:
    """What counts is that another pod became ready, not how long all of them need."""
    slow = [sample(STARTS, ready=ready) for ready in range(3) for _ in range(290)]
    assert watched([*slow, sample(done=True)]) is None
    assert clock.now == 870


def test_silence_has_a_limit(clock: SimpleNamespace) -> None:
    """Then the pods' last words are told, if there are any."""
    assert watched([sample(STARTS)]) == (STARTS,)
    assert LIMIT < clock.now < LIMIT + 2
    assert watched([sample()]) == ()


def test_a_started_pod_has_a_minute_to_be_ready(clock: SimpleNamespace) -> None:
    """Its startup probe was content; the readiness probe is not."""
    unready = PodIssue(pod="a", container="shop", reason="not ready", patience=READY_SECONDS)
    assert watched([sample(unready)]) == [unready]
    assert clock.now == READY_SECONDS


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the user reads as errors and warnings."""
    said: list[str] = []
    monkeypatch.setattr(pulumi.log, "error", said.append)
    monkeypatch.setattr(pulumi.log, "warn", said.append)
    return said


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A kubectl in front of PATH that answers with the files of the folder: get, events, logs."""
    script = tmp_path / "kubectl"
    script.write_text(f'#!/bin/sh\nshift 4\n[ "$2" != events ] || shift\ncat {tmp_path}/"$1"\n')
    script.chmod(0o755)
    (tmp_path / "events").write_text('{"items": []}')
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return tmp_path


def asked(error: str, *, operation: str = "create", times: int = 1) -> bool:
    """Let the engine ask whether to try again."""
    found = stack()
    hook = Readiness(found.services[0], "v1", found, SharedHooks())._unready  # noqa: SLF001 (the engine calls it)
    args = pulumi.ErrorHookArgs(
        "urn", "id", "shop-v1", "Deployment", failed_operation=operation, errors=[error] * times
    )
    return asyncio.run(hook(args))


def test_the_engine_tries_again_once_the_pods_are_ready(kubectl: Path, told: list[str]) -> None:
    """Then the provider sees it at once."""
    deployment, *others = objects({})
    status = {**deployment["status"], "replicas": 1}
    (kubectl / "get").write_text(json.dumps({"items": [{**deployment, "status": status}, *others]}))
    assert asked(TIMED_OUT)
    assert not told


def test_the_pods_own_reason_and_the_end_of_the_log_are_told(kubectl: Path, told: list[str]) -> None:
    """Not the ReplicaSet's, and with the command that shows more. CI keeps the log, so no secret is in it."""
    items = objects(CASES["it ends again and again"]["status"])
    (kubectl / "get").write_text(json.dumps({"items": items}))
    (kubectl / "logs").write_text("first\nno database at postgres://shop:hunter2@db:5432\n")
    assert not asked(TIMED_OUT)
    assert told == [
        (
            "the weights are not changed, because the pods of v1 do not become ready:\n"
            "pod shop-v1-new, container shop: CrashLoopBackOff: back-off 20s restarting failed container; "
            "it ended with 1 (Error)\n"
            "the log of shop ends:\n  first\n  no database at postgres://(hidden)@db:5432\n"
            "more: kubectl describe pod/shop-v1-new --namespace springistiodemo"
        )
    ]


def test_a_deletion_that_fails_is_the_providers(told: list[str]) -> None:
    """Pods are not looked at for it."""
    assert not asked(TIMED_OUT, operation="delete")
    assert not told


@pytest.mark.parametrize("operation", ["create", "update"])
def test_the_objects_tell_a_refusal_from_a_wait(kubectl: Path, told: list[str], operation: str) -> None:
    """Whatever the provider's words are: where nothing rolls out it is asked once more, no more."""
    deployment, *others = objects({})
    status = {**deployment["status"], "replicas": 1}
    (kubectl / "get").write_text(json.dumps({"items": [{**deployment, "status": status}, *others]}))
    assert [asked("denied the request", operation=operation, times=times) for times in (1, 2)] == [
        True,
        False,
    ]
    assert not told
    (kubectl / "get").write_text(json.dumps({"items": objects(CASES["there is no such image"]["status"])}))
    assert not asked("words of another release", operation=operation)
    assert "pod shop-v1-new, container shop: ImagePullBackOff" in "".join(told)


def test_probes_are_read_of_the_pods_that_fail_them_alone(kubectl: Path) -> None:
    """Not of all pods of the namespace, and of none while no container has run."""
    script = kubectl / "kubectl"
    script.write_text(script.read_text().replace("shift 4\n", f"shift 4\necho $* >>{kubectl}/asked\n"))
    for case, events in (("the image is pulled", 0), ("it starts", 1)):
        (kubectl / "asked").write_text("")
        (kubectl / "get").write_text(json.dumps({"items": objects(CASES[case]["status"])}))
        found = stack()
        asyncio.run(Readiness(found.services[0], "v1", found, SharedHooks())._sample(None))  # noqa: SLF001
        of_events = [line for line in (kubectl / "asked").read_text().splitlines() if "events" in line]
        assert (
            of_events
            == ["get events --field-selector=involvedObject.name=shop-v1-new --output=json"] * events
        )


def test_without_kubectl_the_provider_waits_as_long(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, told: list[str]
) -> None:
    """In as many tries as that takes; each says why there is no more to tell."""
    monkeypatch.setenv("PATH", str(tmp_path))
    tries = LIMIT / PROVIDER_SECONDS
    assert [asked(TIMED_OUT, times=times) for times in (1, int(tries) - 1, int(tries))] == [True, True, False]
    assert told == ["the pods of v1 cannot be read: kubectl is not on PATH"] * 3


def test_a_deployment_that_somebody_deletes_meanwhile_is_named(kubectl: Path, told: list[str]) -> None:
    """With the command that makes it again."""
    (kubectl / "get").write_text(json.dumps({"items": []}))
    assert not asked(TIMED_OUT, operation="update")
    (said,) = told
    assert "Deployment springbootapp-v1 of namespace springistiodemo was deleted" in said
    assert "`pulumi up --refresh --run-program`" in said


def test_one_that_was_refused_was_not_deleted(kubectl: Path, told: list[str]) -> None:
    """The provider has said why."""
    (kubectl / "get").write_text(json.dumps({"items": []}))
    assert not asked("admission webhook denied the request")
    assert not told


def test_a_hook_that_breaks_lets_no_weight_move(kubectl: Path) -> None:
    """The engine makes a warning of it."""
    (kubectl / "get").write_text("{}")
    found = stack()
    pod_readiness = Readiness(found.services[0], "v1", found, SharedHooks())
    with pytest.raises(KeyError):
        asyncio.run(pod_readiness._updated(None))  # type: ignore[arg-type] # noqa: SLF001 (the engine calls it)
    assert (
        "the weights are not changed, because the pods of v1 could not be checked: KeyError"
        in pod_readiness.failure
    )
