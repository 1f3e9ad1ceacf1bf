import fcntl
import io
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import lab.__main__ as main
from lab import preflight
from lab.build import debian, tools
from lab.build.go import GoBuilder
from lab.errors import LabError
from lab.node import cgroups, network, node
from lab.node.cluster import Cluster
from lab.places import Places
from lab.progress import Progress
from tests.unit.lab.conftest import Programs, python

GOES_ON = "the lab's processes are still running: `make up` resumes, `make down` stops them"


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with nothing on it, on which one is root."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(Places, "of_this_machine", lambda: places)
    monkeypatch.setattr(cgroups, "MOUNT", tmp_path / "cgroup")
    monkeypatch.setattr(preflight, "PORTS", {})
    monkeypatch.setattr(preflight, "NODE_PORTS", {})
    monkeypatch.setattr(preflight, "check_disk", lambda *_: None)
    monkeypatch.setattr(network, "LINKS", tmp_path / "links")
    for name in ("SHIM_SOCKETS", "RUNC_STATE", "CNI_RESULTS"):
        monkeypatch.setattr(node, name, tmp_path / "run" / name / "folder")


def run(command: str) -> Result:
    """Run one of the commands."""
    return CliRunner().invoke(main.commands, [command])


def fails_with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Let `make up` and `make down` end in an error."""

    def fail(*_: object) -> None:
        raise error

    for name in ("bring_up", "take_down"):
        monkeypatch.setattr(main, name, fail)


@pytest.mark.parametrize("command", ["up", "cluster", "metrics", "observe", "down", "clean"])
def test_an_error_is_one_message_and_an_exit_code(monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    """All parts of it once, no traceback, and what calls it learns that it failed."""
    fails_with(monkeypatch, LabError("etcd ended", fix="make down, then: make up", evidence="bind: in use"))
    result = run(command)
    assert result.exit_code == 1
    assert result.output.count("etcd ended\n  | bind: in use\n  → make down, then: make up\n") == 1
    assert result.output.count("etcd ended") == 1
    assert "Traceback" not in result.output


def test_processes_that_run_after_an_error_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """A failed `make up` reports processes that are still running, if there are any."""
    fails_with(monkeypatch, LabError("no", fix="yes"))
    assert GOES_ON not in run("up").output
    monkeypatch.setattr(cgroups, "pids", lambda: {7})
    assert run("up").output.endswith(f"{GOES_ON}\n")


def test_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    """No traceback, the exit code of an interrupted command, and a report of what still runs."""
    fails_with(monkeypatch, KeyboardInterrupt())
    monkeypatch.setattr(cgroups, "pids", lambda: {7})
    result = run("up")
    assert result.exit_code == 130
    assert result.output.endswith(f"interrupted\n  {GOES_ON}\n")


@pytest.mark.parametrize("command", ["up", "cluster", "metrics", "observe", "down", "clean"])
def test_not_root(monkeypatch: pytest.MonkeyPatch, places: Places, command: str) -> None:
    """Every command reports it before it writes anything."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    result = run(command)
    assert result.exit_code == 1
    assert "user id 1000 is not root" in result.output
    assert not places.state.parent.exists()


@contextmanager
def another_command(places: Places) -> Iterator[None]:
    """Another lab command at work, as pid 4242."""
    path = places.state.with_name("lab.lock")
    path.parent.mkdir(parents=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write("4242")
        lock.flush()
        yield


def test_a_second_command_reports_the_first(monkeypatch: pytest.MonkeyPatch, places: Places) -> None:
    """One at a time: the second names the pid of the first, and touches nothing."""
    fails_with(monkeypatch, AssertionError("it went to work"))
    monkeypatch.setattr(cgroups, "pids", lambda: {7})
    with another_command(places):
        result = run("down")
    assert result.exit_code == 1
    assert "another lab command is running, pid 4242" in result.output
    assert GOES_ON not in result.output


def test_a_command_that_died_does_not_keep_the_lock(places: Places) -> None:
    """Its pid stays in the file; the kernel took the lock away."""
    with another_command(places):
        pass
    assert run("down").exit_code == 0
    assert places.state.with_name("lab.lock").read_text() == str(os.getpid())


def test_the_lock_is_its_owners_only(places: Places) -> None:
    """Otherwise any user could hold it, and the lab could not be stopped."""
    run("down")
    assert places.state.with_name("lab.lock").stat().st_mode & 0o777 == 0o600


def test_down_from_nothing(programs: Programs, places: Places) -> None:
    """No cache, no state, no lab: a good end, and nothing was downloaded for it."""
    assert run("down").exit_code == 0
    assert programs.calls == []
    assert not (places.cache / "debian").exists()


def test_down_without_a_cache_fetches_what_removes_the_rules(
    programs: Programs, places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the lab made a network and its iptables is gone, it is had again, after all was stopped."""
    order: list[str] = []
    (tmp_path / "links" / network.BRIDGE).mkdir(parents=True)
    monkeypatch.setattr(Cluster, "stop", lambda _: order.append("stop"))
    monkeypatch.setattr(debian.Packages, "unpack", lambda *_: order.append("unpack"))
    monkeypatch.setattr(network.Network, "down", lambda *_: order.append("network"))
    assert run("down").exit_code == 0
    assert order == ["stop", "unpack", "network"]
    assert programs.calls == []
    assert places.cache.exists()


def test_clean_deletes_data_links_and_unfinished_builds(places: Places) -> None:
    """The cache of binaries stays, and the passphrase that fits the checkout's stack files."""
    places.make()
    built, unfinished = places.cache / "go" / "kube-1", places.cache / "go-work" / "build"
    for folder in (built, unfinished, places.state / "etcd"):
        folder.mkdir(parents=True)
    places.passphrase.write_text("secret")
    assert run("clean").exit_code == 0
    assert [path for path in places.state.rglob("*") if not path.is_dir()] == [places.passphrase]
    assert not (places.state / "etcd").exists()
    assert not unfinished.exists()
    assert not places.environment.parent.exists()
    assert built.exists()


def nothing_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a build or a download be an error."""

    def refuse(*_: object) -> None:
        raise AssertionError("it went to work")

    monkeypatch.setattr(GoBuilder, "build", refuse)
    monkeypatch.setattr(debian.Packages, "unpack", refuse)
    monkeypatch.setattr(Cluster, "up", refuse)


def test_no_go_and_no_pulumi(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reported before anything is downloaded or started."""
    nothing_is_built(monkeypatch)
    result = run("up")
    assert result.exit_code == 1
    assert "no `go` on PATH" in result.output
    assert programs.calls == []


def test_ports_in_use_are_reported_first(
    programs: Programs, places: Places, progress: Progress, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not after the quarter of an hour that building takes."""
    nothing_is_built(monkeypatch)
    assert programs.calls == []

    def taken(own: set[int]) -> None:
        raise LabError(f"port 6443 is taken, {len(own)} are ours", fix="stop what holds it")

    monkeypatch.setattr(preflight, "check_ports", taken)
    with pytest.raises(LabError, match="port 6443 is taken, 0 are ours"):
        main.bring_up(places, progress)


def test_too_little_disk_is_reported_first(
    programs: Programs, places: Places, progress: Progress, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A build needs more of it, which is checked only if something must be built."""
    nothing_is_built(monkeypatch)
    asked: list[tuple[Path, int]] = []

    def disk(folder: Path, needed: int) -> None:
        asked.append((folder, needed))
        if needed == preflight.DISK_TO_BUILD:
            raise LabError("2 GiB free", fix="free some space")

    monkeypatch.setattr(preflight, "check_disk", disk)
    with pytest.raises(LabError, match="2 GiB free"):
        main.bring_up(places, progress)
    assert asked == [(places.state, preflight.DISK_TO_RUN), (places.cache, preflight.DISK_TO_BUILD)]
    asked.clear()
    monkeypatch.setattr(GoBuilder, "has", lambda *_: True)
    with pytest.raises(AssertionError, match="went to work"):
        main.bring_up(places, progress)
    assert asked == [(places.state, preflight.DISK_TO_RUN)]
    assert programs.calls == []


def test_the_chosen_pulumi_is_printed(
    programs: Programs,
    places: Places,
    progress: Progress,
    output: io.StringIO,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Before the work begins, one line for each of the three programs."""
    nothing_is_built(monkeypatch)
    with pytest.raises(LabError):
        main.bring_up(places, progress)
    for tool in tools.choose():
        assert f"  {tool.name}: {tool.reason}\n" in output.getvalue()
    assert programs.calls == []


def test_a_failure_ends_the_builds_at_work_and_begins_no_other(
    programs: Programs, places: Places, progress: Progress, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Missing Debian packages are reported at once, not after Kubernetes is built."""
    # A shell's background job ignores Ctrl-C, and so would the builds that it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    armed = programs.folder / "armed"
    default = f"import signal, time; signal.signal(signal.SIGINT, signal.SIG_DFL); open({str(armed)!r}, 'w')"
    programs.add_recorder(
        "go",
        f'[ "$1" = version ] && echo go version go9.9 && exit\n{python(f"{default}; time.sleep(120)")}',
    )
    monkeypatch.setattr(cgroups, "pids", set)

    def refuse(*_: object) -> None:
        while not armed.exists():
            time.sleep(0.01)
        raise LabError("apt-get failed", fix="check the network")

    monkeypatch.setattr(debian.Packages, "unpack", refuse)
    begun = time.monotonic()
    with pytest.raises(LabError, match="apt-get failed"):
        main.bring_up(places, progress)
    assert time.monotonic() - begun < 100
    builds = [call for call in programs.calls if " build " in call]
    assert 1 <= len(builds) <= 2
    assert list((places.cache / "go").iterdir()) == []
