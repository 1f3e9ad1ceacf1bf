"""The holders of a stack's lock are read from Pulumi's error, and an update waits for it."""

import datetime as dt
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from pulumi import automation as auto
from pulumi.automation._cmd import CommandResult

from operations.errors import OperationError
from operations.pulumi_stack import locks
from operations.pulumi_stack.locks import Holder, holders, patiently

SAID = (
    "error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or "
    "delete the lock file with `pulumi cancel`.\n"
    "  file:///state/.pulumi/locks/organization/mesh-app/dev/0b.json: created by {user}@{host} (pid {pid}) "
    "at {since}"
)


def conflict(
    *, user: str = "ann", host: str = "build-7", pid: int = 12, since: str = "2026-11-23T22:10:00Z"
) -> auto.ConcurrentUpdateError:
    """What the Automation API raises while the stack is locked."""
    said = SAID.format(user=user, host=host, pid=pid, since=since)
    return auto.ConcurrentUpdateError(CommandResult(stdout="", stderr=said, code=255))


def mine(pid: int, since: dt.datetime) -> auto.ConcurrentUpdateError:
    return conflict(host=socket.gethostname(), pid=pid, since=since.isoformat(timespec="seconds"))


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def test_a_locks_holder_is_read() -> None:
    """User, machine, process and time; a domain user's name may hold an @ and a space."""
    (holder,) = holders(conflict(user="ann b@corp", since="2026-11-23T23:10:00+01:00"))
    assert holder == Holder(
        user="ann b@corp",
        host="build-7",
        pid=12,
        since=dt.datetime(2026, 11, 23, 22, 10, tzinfo=dt.UTC),
    )
    assert str(holder).startswith("ann b@corp@build-7, process 12, since 2026-11-23 23:10:00")


def test_of_another_machine_nothing_is_sure() -> None:
    """Its processes cannot be seen from here."""
    (holder,) = holders(conflict(pid=2**22 + 1))
    assert not holder.ended


@pytest.fixture
def running(tmp_path: Path) -> Iterator[int]:
    """A pulumi that runs."""
    (tmp_path / "pulumi").symlink_to("/bin/sleep")
    with subprocess.Popen([tmp_path / "pulumi", "60"]) as process:
        ends = time.monotonic() + 5
        while psutil.Process(process.pid).name() != "pulumi" and time.monotonic() < ends:
            time.sleep(0.02)
        yield process.pid
        process.kill()


@pytest.mark.parametrize("years", [-20, 0, 20])
def test_a_process_that_runs_holds_its_lock(running: int, years: int) -> None:
    """However the clock moved since it noted the time: a laptop slept, a server was set right."""
    (holder,) = holders(mine(running, now() + dt.timedelta(days=365 * years)))
    assert not holder.ended


def test_a_process_in_a_container_with_the_machines_name_holds_its_lock(
    running: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It notes the number that it has there."""
    inside = 2**22 + 7
    monkeypatch.setattr(
        locks, "_status", lambda pid: f"Name:\tpulumi\nNSpid:\t{pid}\t{inside}\n" if pid == running else ""
    )
    (holder,) = holders(mine(inside, now()))
    assert not holder.ended


def test_from_such_a_container_nothing_is_sure(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has the machine's host name and sees none of its processes."""
    monkeypatch.setattr(locks, "INITIAL", {"uts": locks._namespace("uts"), "pid": "another"})  # noqa: SLF001
    (holder,) = holders(mine(2**22 + 1, now()))
    assert not holder.ended


def test_a_process_that_ended_holds_none() -> None:
    """Neither one that is gone, nor one that only awaits its parent, nor another one of the same number."""
    gone = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True
    )
    (holder,) = holders(mine(int(gone.stdout), now()))
    assert holder.ended
    with subprocess.Popen(["true"]) as zombie:
        os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
        (holder,) = holders(mine(zombie.pid, now()))
        assert holder.ended
    (holder,) = holders(mine(os.getpid(), now()))
    assert holder.ended


def test_waiting_ends_when_the_lock_is_given_back(running: int) -> None:
    """It reports the holder, and then does the work."""
    answers = [mine(running, now()), mine(running, now())]
    told: list[str] = []

    def work() -> str:
        if answers:
            raise answers.pop()
        return "done"

    assert patiently(work, stack="dev", seconds=10, report_line=told.append) == "done"
    (line,) = told
    assert f"process {running}" in line


def test_waiting_has_a_limit_and_tells_who_holds_the_lock(running: int) -> None:
    """Without a wait it is reported at once."""
    error = mine(running, now())

    def work() -> None:
        raise error

    with pytest.raises(OperationError) as told:
        patiently(work, stack="dev", seconds=0, report_line=print)
    assert f"process {running}" in str(told.value)
    assert "pulumi cancel --yes --stack dev" in told.value.fix


def test_nobody_waits_for_a_process_that_ended() -> None:
    """The error has the command that releases the lock."""
    error = mine(os.getpid(), dt.datetime(2001, 1, 1, tzinfo=dt.UTC))

    def work() -> None:
        raise error

    with pytest.raises(OperationError) as told:
        patiently(work, stack="dev", seconds=600, report_line=print)
    assert told.value.fix.startswith("python -m operations recover --stack dev, ")
