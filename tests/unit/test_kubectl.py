"""kubectl is a child of the update: what its failures mean, and that it ends."""

import asyncio
import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.rollout import kubectl
from components.rollout.kubectl import Kubectl, KubectlError, KubectlTimeout, ProcessLimitReached
from tests.unit.istiods import is_alive

KUBECTL = Kubectl(context="lab", namespace="team")

Script = Callable[[str], None]


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Script:
    """Put a kubectl in front of PATH that notes its process and does what the test says."""

    def install(body: str) -> None:
        file = tmp_path / "kubectl"
        file.write_text(f"#!/bin/sh\necho $$ >>{tmp_path}/pids\n{body}\n")
        file.chmod(0o755)

    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return install


def pids(folder: Path) -> list[int]:
    """List the processes of the script."""
    return list(map(int, (folder / "pids").read_text().split()))


def test_it_is_killed_at_its_time_limit(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An API server that never answers leaves no process behind for each question."""
    monkeypatch.setattr(kubectl, "ANSWER_SECONDS", 0.5)
    script("exec sleep 60")
    with pytest.raises(KubectlTimeout, match=r"no answer within 0.5 s: kubectl --context lab .* get pods"):
        asyncio.run(KUBECTL("get", "pods"))
    (pid,) = pids(tmp_path)
    assert not is_alive(pid)


def test_it_is_killed_with_the_update(script: Script, tmp_path: Path) -> None:
    """As where another question failed, and the update ends."""
    script(f"touch {tmp_path}/begun\nexec sleep 60")

    async def update() -> None:
        asked = asyncio.ensure_future(KUBECTL("get", "pods"))
        while not (tmp_path / "begun").exists():  # noqa: ASYNC110 (the script is another process)
            await asyncio.sleep(0.01)
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)

    asyncio.run(update())
    (pid,) = pids(tmp_path)
    assert not is_alive(pid)


@pytest.mark.parametrize("number", [errno.EMFILE, errno.EAGAIN, errno.ENOMEM])
def test_a_machine_without_room_for_it_is_not_one_without_kubectl(
    monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Without kubectl an update waits for a while and goes on. Here it waits for room, or stops."""
    monkeypatch.setattr(kubectl, "ANSWER_SECONDS", 0.8)
    tries = 0

    async def fail(*_: object, **__: Any) -> None:  # noqa: ANN401 (as the library has it)
        nonlocal tries
        tries += 1
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(asyncio, "create_subprocess_exec", fail)
    said = rf"no answer within 0.8 s: kubectl cannot be started: .*{os.strerror(number)}; raise that limit"
    with pytest.raises(ProcessLimitReached, match=said):
        asyncio.run(KUBECTL("get", "pods"))
    assert tries > 1


def test_room_that_is_there_again_is_used(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    """A moment later."""
    script("echo answer")
    real, failures = asyncio.create_subprocess_exec, iter([OSError(errno.EMFILE, "Too many open files")])

    async def fail_once(*words: str, **more: Any) -> asyncio.subprocess.Process:  # noqa: ANN401
        if failure := next(failures, None):
            raise failure
        return await real(*words, **more)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", fail_once)
    assert asyncio.run(KUBECTL("get", "pods")) == "answer\n"


def test_one_that_may_not_be_run_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is there, so "not on PATH" would send its user the wrong way."""
    (tmp_path / "kubectl").write_text("")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(KubectlError, match=r"kubectl cannot be started: .*Permission denied"):
        asyncio.run(KUBECTL("get", "pods"))


@pytest.mark.parametrize(
    ("pod_issue", "away"),
    [
        ("Unable to connect to the server: EOF", True),
        ('error: Get "https://10.0.0.1:6443/api/v1/pods": EOF', True),
        ("error: error upgrading connection: error sending request: unexpected EOF", True),
        ("EOF", True),
        (
            "The connection to the server 127.0.0.1:6443 was refused",
            True,
        ),
        ("dial tcp 127.0.0.1:6443: connect: connection refused", True),
        ('error: a here-document ends with "EOF" in line 3', False),
        ('Error from server (NotFound): pods "EOF-processor" not found', False),
        ("error: EOFs are not allowed", False),
        ('Error from server (Forbidden): pods is forbidden: User "ci" cannot list', False),
    ],
)
def test_an_api_server_that_is_away_is_told_by_whole_words(pod_issue: str, away: bool) -> None:
    """Not by three letters that may stand anywhere: those would be asked again for 30 s."""
    assert kubectl.is_unreachable(pod_issue) is away


def test_it_is_given_what_it_asks_for(script: Script) -> None:
    """On its standard input, in the context, and in no namespace unless there is one."""
    script('echo "$@"; cat')
    said = asyncio.run(Kubectl(context="lab")("get", "--filename=-", given="objects"))
    assert said == "--context lab get --filename=-\nobjects"
    said = asyncio.run(Kubectl(context="lab", namespace="shop")("get", "pods"))
    assert said == "--context lab --namespace shop get pods\n"
