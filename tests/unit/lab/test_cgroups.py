import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.errors import LabError
from lab.node import cgroups
from lab.node.process import started

PIDS = (1 << 22) + 1
"""A pid that Linux never assigns."""


def write(path: Path, text: str = "") -> None:
    """Write a file as the kernel would show it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def v1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One hierarchy for each controller, and a folder that is none."""
    for controller in ("cpu", "cpuset", "memory"):
        write(tmp_path / controller / "cgroup.procs")
    for folder in ("cpuset", "cpuset/mesh-lab", "cpuset/mesh-lab/daemons"):
        full = folder == "cpuset"
        write(tmp_path / folder / "cpuset.cpus", "0-1\n" if full else "\n")
        write(tmp_path / folder / "cpuset.mems", "0\n" if full else "\n")
    (tmp_path / "none").mkdir()
    monkeypatch.setattr(cgroups, "MOUNT", tmp_path)
    return tmp_path


@pytest.fixture
def v2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One hierarchy for all."""
    for folder in ("", "mesh-lab"):
        write(tmp_path / folder / "cgroup.controllers", "cpuset cpu io memory hugetlb pids rdma\n")
        write(tmp_path / folder / "cgroup.procs")
        write(tmp_path / folder / "cgroup.subtree_control")
    (tmp_path / "system.slice").mkdir()
    write(tmp_path / "system.slice" / "cgroup.procs", "1\n")
    monkeypatch.setattr(cgroups, "MOUNT", tmp_path)
    return tmp_path


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process that would run for long."""
    process = subprocess.Popen(["/bin/sleep", "60"])
    yield process
    process.kill()
    process.wait()


def test_v1_has_a_group_in_each_hierarchy(v1: Path) -> None:
    """The lab's group exists for every controller, and a second call is no error."""
    cgroups.ensure()
    cgroups.ensure()
    assert cgroups.groups() == [v1 / name / "mesh-lab" for name in ("cpu", "cpuset", "memory")]


def test_v1_gives_its_groups_processors(v1: Path) -> None:
    """A new cpuset is empty, and nothing can run in it: both groups get what is above them."""
    cgroups.ensure()
    cgroups.enter(PIDS)
    for group in (v1 / "cpuset/mesh-lab", v1 / "cpuset/mesh-lab/daemons"):
        assert (group / "cpuset.cpus").read_text() == "0-1\n"
        assert (group / "cpuset.mems").read_text() == "0\n"


def test_v2_has_one_group_with_the_controllers_that_pods_need(v2: Path) -> None:
    """They are handed down twice: to the lab's group, and from there to its children."""
    cgroups.ensure()
    assert cgroups.groups() == [v2 / "mesh-lab"]
    for folder in (v2, v2 / "mesh-lab"):
        assert (folder / "cgroup.subtree_control").read_text() == "+cpu +cpuset +memory +pids"


def test_only_controllers_that_the_machine_has_are_asked_for(v2: Path) -> None:
    """The kernel refuses the whole line for one that it lacks."""
    write(v2 / "cgroup.controllers", "cpu memory\n")
    cgroups.ensure()
    assert (v2 / "cgroup.subtree_control").read_text() == "+cpu +memory"


@pytest.mark.parametrize("layout", ["v1", "v2"])
def test_a_daemon_enters_every_hierarchy(layout: str, request: pytest.FixtureRequest) -> None:
    """Daemons have a group of their own below: in v2 a group with children may hold no process itself."""
    request.getfixturevalue(layout)
    cgroups.ensure()
    cgroups.enter(PIDS)
    for group in cgroups.groups():
        assert (group / "daemons" / "cgroup.procs").read_text() == str(PIDS)
    assert cgroups.pids() == {PIDS}


def test_all_processes_of_the_lab_are_found_and_no_others(v2: Path) -> None:
    """Daemons and containers, however deep; not what runs beside, nor this very process."""
    cgroups.ensure()
    write(v2 / "mesh-lab/daemons/cgroup.procs", f"11\n12\n{os.getpid()}\n")
    write(v2 / "mesh-lab/kubepods/burstable/pod1/abc/cgroup.procs", "21\n")
    assert cgroups.pids() == {11, 12, 21}


def test_without_a_lab_there_are_no_processes(v2: Path) -> None:
    """Also where no control groups are mounted at all."""
    for path in (v2 / "mesh-lab").iterdir():
        path.unlink()
    (v2 / "mesh-lab").rmdir()
    assert cgroups.pids() == set()
    cgroups.remove()


def test_where_none_are_mounted_there_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`make down` works there too."""
    monkeypatch.setattr(cgroups, "MOUNT", tmp_path / "none")
    assert cgroups.groups() == []
    assert cgroups.kill() == set()


def test_if_none_can_be_created_that_is_reported(v1: Path) -> None:
    """In most containers control groups cannot be written: that is reported, with what to do instead."""
    for path in (v1 / "memory").iterdir():
        path.unlink()
    write(v1 / "memory" / "cgroup.procs")
    write(v1 / "memory" / "mesh-lab", "in the way")
    with pytest.raises(LabError) as issue:
        cgroups.ensure()
    assert issue.value.what.startswith("no control group can be created here")
    assert str(v1 / "memory" / "mesh-lab") in issue.value.what
    assert "privileged container" in issue.value.fix


def test_kill_ends_all_of_them(
    sleeper: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch, v1: Path
) -> None:
    """It kills until none is left; one that went by itself meanwhile is no error."""
    assert v1
    left = [{sleeper.pid, PIDS}, {sleeper.pid}]
    monkeypatch.setattr(cgroups, "pids", lambda: left.pop(0) if left else {sleeper.pid} - {dead(sleeper.pid)})
    assert cgroups.kill() == set()
    assert sleeper.wait(timeout=10) == -signal.SIGKILL


def dead(pid: int) -> int:
    """The pid, if no process has it."""
    return pid if started(pid) is None else 0


def test_those_that_do_not_die_are_named(
    sleeper: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch, v2: Path
) -> None:
    """A process that the kernel cannot end is reported, not waited for."""
    write(v2 / "mesh-lab/daemons/cgroup.procs", f"{sleeper.pid}\n")
    monkeypatch.setattr(cgroups, "DEATH_SECONDS", 0.1)
    monkeypatch.setattr(os, "kill", lambda _pid, _number: None)
    assert cgroups.kill() == {sleeper.pid}


def test_remove_takes_the_groups_and_nothing_else(v1: Path) -> None:
    """The innermost goes first, for only empty groups can go; hierarchies stay."""
    for group in cgroups.groups():
        for path in (group / "daemons").glob("*"):
            path.unlink()
        for path in group.glob("cpuset.*"):
            path.unlink()
    (v1 / "memory/mesh-lab/kubepods/besteffort/pod1").mkdir(parents=True)
    cgroups.remove()
    assert cgroups.groups() == []
    assert (v1 / "memory" / "cgroup.procs").exists()


def test_a_group_that_is_not_empty_stops_nothing(v1: Path) -> None:
    """What cannot go yet is left, the rest goes."""
    busy = v1 / "cpu/mesh-lab/kubepods"
    write(busy / "held", "")
    (v1 / "memory/mesh-lab").mkdir()
    cgroups.remove()
    assert busy.exists()
    assert not (v1 / "memory/mesh-lab").exists()
