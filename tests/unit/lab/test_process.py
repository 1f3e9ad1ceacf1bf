import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from lab.errors import LabError
from lab.node import cgroups, process
from lab.node.process import Process, started, wait_until
from lab.progress import Step

SLEEP = ("/bin/sleep", "60")
Daemon = Callable[..., Process]


@pytest.fixture
def entered(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The pids that were put into the lab's control group, which takes root."""
    pids: list[int] = []
    monkeypatch.setattr(cgroups, "enter", pids.append)
    return pids


@pytest.fixture
def daemon(tmp_path: Path, entered: list[int]) -> Iterator[Daemon]:
    """Makes daemons that end with the test."""
    made: list[Process] = []

    def make(*command: str, name: str = "daemon", **others: object) -> Process:
        made.append(
            Process(
                name=name,
                command=command or SLEEP,
                folder=tmp_path / "processes",
                log=tmp_path / f"{name}.log",
                **others,  # type: ignore[arg-type]  # fields as given
            )
        )
        return made[-1]

    yield make
    for each in made:
        each.stop()
    assert all(started(pid) is None for pid in entered), "a test left a process behind"


def shell(script: str) -> tuple[str, ...]:
    """A command that runs a script."""
    return ("/bin/sh", "-c", script)


def await_log(daemon: Process, text: str) -> str:
    """Wait until a process has logged something; returns the log."""
    deadline = time.monotonic() + 10
    while text not in (said := daemon.log.read_text()):
        assert time.monotonic() < deadline, said
        time.sleep(0.01)
    return said


def free_port() -> int:
    """A free port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def answers(port: int) -> str:
    """What a server on a port lacks to be ready."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError as error:
        return str(error)
    return ""


def test_from_start_to_stop(daemon: Daemon, entered: list[int]) -> None:
    """A server is started, waited for until it serves, and ended; its record goes with it."""
    port = free_port()
    server = daemon(
        sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port), ready=partial(answers, port)
    )
    assert server.pid is None
    server.start()
    server.await_ready(Step("start"))
    assert server.pid is not None
    assert entered == [server.pid]
    assert answers(port) == ""
    pid = server.pid
    server.stop()
    assert (server.pid, started(pid)) == (None, None)
    assert answers(port) != ""
    assert list(server.folder.iterdir()) == []


def test_stop_of_what_does_not_run(daemon: Daemon) -> None:
    """That it is not there is a good end."""
    daemon().stop()


def test_it_outlives_the_terminal(daemon: Daemon) -> None:
    """Ctrl-C and a closed terminal reach `make up`, not the cluster: each daemon has its own session."""
    sleeper = daemon()
    sleeper.start()
    assert sleeper.pid is not None
    assert os.getsid(sleeper.pid) == sleeper.pid


def test_a_second_start_changes_nothing(daemon: Daemon) -> None:
    """What runs as it should is left alone."""
    daemon().start()
    pid = daemon().pid
    daemon().start()
    assert daemon().current
    assert daemon().pid == pid


def test_a_changed_input_makes_it_out_of_date(daemon: Daemon, tmp_path: Path) -> None:
    """A process whose certificate file has changed is restarted."""
    certificate = tmp_path / "etcd.crt"
    sleeper = daemon(inputs=[certificate])
    sleeper.start()
    before = sleeper.pid
    assert sleeper.current
    certificate.write_text("renewed")
    assert not sleeper.current
    sleeper.start()
    assert sleeper.current
    assert before is not None
    assert started(before) is None


@pytest.mark.parametrize("change", [{"environment": {"LANG": "C"}}, {"command": ("/bin/sleep", "61")}])
def test_a_changed_command_or_variable_makes_it_out_of_date(
    daemon: Daemon, change: dict[str, object]
) -> None:
    """Another flag or another binary takes effect at the next `make up`."""
    daemon().start()
    assert daemon().current
    changed = daemon(*change.pop("command", ()), **change)  # type: ignore[misc]  # a tuple of words
    assert changed.pid is not None
    assert not changed.current


def test_another_shell_is_no_change(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    """A start from another terminal, or with a proxy set, does not restart it."""
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    shown = daemon(*shell("/usr/bin/env; echo end; exec sleep 60"), environment={"PATH": "/usr/bin:/bin"})
    shown.start()
    said = await_log(shown, "end")
    assert "PATH=/usr/bin:/bin" in said
    assert "HTTPS_PROXY" not in said
    monkeypatch.setenv("TERM", "another")
    assert shown.current


def test_it_logs_where_only_its_owner_reads_and_keeps_the_log_before(daemon: Daemon) -> None:
    """The log of the run before stays: it has the reason why that one ended."""
    for word in ("first", "second"):
        speaker = daemon(*shell(f"echo {word}; exec sleep 60"))
        speaker.start()
        await_log(speaker, word)
    assert speaker.log.with_suffix(".before.log").read_text() == "first\n"
    for path in (speaker.log, speaker.folder / "daemon.json"):
        assert path.stat().st_mode & 0o777 == 0o600, path


def test_an_early_end_is_reported_with_the_end_of_the_log(daemon: Daemon) -> None:
    """It is not reported as a timeout: the message has the log and its path."""
    failing = daemon(*shell("echo bind: address already in use; exit 1"), ready=lambda: "no answer")
    failing.start()
    with pytest.raises(LabError) as issue:
        failing.await_ready(Step("start"))
    assert issue.value.what == "daemon ended while it was starting"
    assert issue.value.evidence == "bind: address already in use"
    assert str(failing.log) in issue.value.fix
    assert "make up" in issue.value.fix


def test_a_timeout_names_what_was_missing(daemon: Daemon) -> None:
    """The last answer of the health check is in the message, the end of the log below it."""
    slow = daemon(
        *shell("echo waiting for etcd; exec sleep 60"), patience=0.2, ready=lambda: "[-]etcd failed"
    )
    slow.start()
    await_log(slow, "etcd")
    step = Step("start")
    with pytest.raises(LabError) as issue:
        slow.await_ready(step)
    assert issue.value.what == "not ready after 0 s: daemon: [-]etcd failed"
    assert issue.value.evidence == "waiting for etcd"
    assert step.note == "daemon: [-]etcd failed"


def test_waiting_shows_what_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each new answer is shown, until nothing is missing; then the note is empty again."""
    monkeypatch.setattr(process, "POLL_SECONDS", 0)
    step, shown = Step("wait"), []
    answers = iter(["no node", "no pod", ""])

    def missing() -> str:
        shown.append(step.note)
        return next(answers)

    wait_until(missing, step, 10, tmp_path / "none.log")
    assert [*shown, step.note] == ["", "no node", "no pod", ""]


def test_a_command_that_is_not_there(daemon: Daemon, tmp_path: Path) -> None:
    """If the cache is lost, the message names the missing program and the fix."""
    with pytest.raises(LabError) as issue:
        daemon(str(tmp_path / "gone")).start()
    assert str(issue.value).startswith("daemon cannot be started: ")
    assert str(tmp_path / "gone") in issue.value.what
    assert "make clean" in issue.value.fix


def test_what_ignores_term_is_killed(daemon: Daemon) -> None:
    """After its grace has passed, stop does not ask any more."""
    stubborn = daemon(*shell("trap '' TERM; echo armed; while :; do sleep 0.05; done"), grace=0.2)
    stubborn.start()
    await_log(stubborn, "armed")
    pid = stubborn.pid
    assert pid is not None
    stubborn.stop()
    assert started(pid) is None


def test_what_ends_by_itself_in_time_is_not_killed(daemon: Daemon) -> None:
    """A daemon has its grace to put its house in order."""
    tidy = daemon(*shell("trap 'echo tidied; exit' TERM; echo armed; while :; do sleep 0.05; done"))
    tidy.start()
    await_log(tidy, "armed")
    tidy.stop()
    assert tidy.log.read_text() == "armed\ntidied\n"


def test_a_pid_used_again_is_not_ours(daemon: Daemon) -> None:
    """After a reboot another process may have the number in the record: it is neither ours nor stopped."""
    other = subprocess.Popen(SLEEP)
    try:
        sleeper = daemon()
        sleeper.folder.mkdir()
        record = {"pid": other.pid, "started": (started(other.pid) or 0) - 1, "fingerprint": ""}
        (sleeper.folder / "daemon.json").write_text(json.dumps(record))
        assert sleeper.pid is None
        sleeper.stop()
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


@pytest.mark.parametrize("record", ["", "{", "[]", "null", '{"pid": "1"}', '{"pid": 0}'])
def test_a_broken_record_is_none(daemon: Daemon, record: str) -> None:
    """Half a record, or one of another process, prevents neither start nor stop."""
    sleeper = daemon()
    sleeper.folder.mkdir()
    (sleeper.folder / "daemon.json").write_text(record)
    assert sleeper.pid is None
    sleeper.start()
    assert sleeper.pid is not None


def test_the_dead_do_not_run(daemon: Daemon) -> None:
    """A process that has ended and only awaits its parent counts as gone."""
    zombie = subprocess.Popen(["/bin/true"])
    try:
        os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
        assert Path(f"/proc/{zombie.pid}").exists()
        assert started(zombie.pid) is None
    finally:
        zombie.wait()
    assert started(os.getpid()) is not None
    assert daemon().pid is None


def test_a_process_whose_first_thread_is_dead_still_runs() -> None:
    """A daemon that ends holds its port until its last thread is gone: nothing takes its place before."""
    code = (
        "import ctypes, threading, time; threading.Thread(target=time.sleep, args=(60,)).start();"
        "print(flush=True); ctypes.CDLL(None).pthread_exit(None)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        state = Path(f"/proc/{process.pid}/stat")
        while state.read_text().rpartition(")")[2].split()[0] != "Z":
            time.sleep(0.01)
        assert started(process.pid) is not None
    finally:
        process.kill()
        process.communicate()


def test_a_name_in_brackets_does_not_confuse(tmp_path: Path) -> None:
    """The kernel shows a process' name as it is, with spaces and brackets: the start time is found behind."""
    odd = tmp_path / "a) Z 1"
    odd.symlink_to("/bin/sleep")
    sleeper = subprocess.Popen([odd, "60"])
    try:
        about = started(sleeper.pid)
        assert about is not None
        assert about >= (started(os.getpid()) or 0)
    finally:
        sleeper.kill()
        sleeper.wait()


def test_without_its_control_group_it_does_not_run(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that `make down` could not find is not left behind."""
    born: list[int] = []

    def refuse(pid: int) -> None:
        born.append(pid)
        raise PermissionError(13, "no control groups here")

    monkeypatch.setattr(cgroups, "enter", refuse)
    with pytest.raises(PermissionError):
        daemon().start()
    assert [started(pid) for pid in born] == [None]
    assert daemon().pid is None
