"""One control group contains all processes of the lab: daemons, shims, containers.

So the lab can find its processes without pid files. Both layouts are supported: a hierarchy for each
controller (v1), or one for all (v2).
"""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from lab.errors import LabError

ROOT = "mesh-lab"
MOUNT = Path("/sys/fs/cgroup")
CONTROLLERS = ("cpu", "cpuset", "memory", "pids")
"""What the kubelet needs to limit pods."""

DEATH_SECONDS = 10
"""How long the kernel may take to remove killed processes; normally milliseconds."""


def _hierarchies() -> list[Path]:
    if (MOUNT / "cgroup.controllers").exists():
        return [MOUNT]
    return [path for path in sorted(MOUNT.glob("*")) if (path / "cgroup.procs").exists()]


def groups() -> list[Path]:
    """Return the lab's group of each hierarchy that has one."""
    return [path / ROOT for path in _hierarchies() if (path / ROOT).is_dir()]


def ensure() -> None:
    """Create the lab's group, with the controllers that pods need.

    Raises:
        LabError: no control group can be created, as in most containers.
    """
    try:
        for hierarchy in _hierarchies():
            _make(hierarchy)
    except OSError as error:
        raise LabError(
            f"no control group can be created here ({error}); the lab's pods need them",
            fix="run the lab on a machine of its own or in a privileged container, then: make up",
        ) from error


def enter(pid: int) -> None:
    """Move a process into the lab's group of daemons."""
    for group in groups():
        daemons = group / "daemons"
        daemons.mkdir(exist_ok=True)
        if group.parent != MOUNT:
            _fill_cpuset(daemons)
        (daemons / "cgroup.procs").write_text(str(pid))


def pids() -> set[int]:
    """Return the pids of all processes of the lab, without this one."""
    found: set[int] = set()
    for group in groups():
        for folder, _, _ in os.walk(group):
            # A group may be removed while it is read.
            with suppress(OSError):
                found.update(int(pid) for pid in Path(folder, "cgroup.procs").read_text().split())
    return found - {os.getpid()}


def kill() -> set[int]:
    """Kill every process of the lab until none is left; return those that did not die in time."""
    deadline = time.monotonic() + DEATH_SECONDS
    while (left := pids()) and time.monotonic() < deadline:
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)
    return left


def remove() -> None:
    """Remove the lab's groups, the innermost first; only empty ones can be removed."""
    for group in groups():
        for folder in _innermost_first(group):
            with suppress(OSError):
                folder.rmdir()


def _innermost_first(folder: Path) -> Iterator[Path]:
    for child in sorted(folder.iterdir()):
        if child.is_dir():
            yield from _innermost_first(child)
    yield folder


def _make(hierarchy: Path) -> None:
    group = hierarchy / ROOT
    group.mkdir(exist_ok=True)
    if hierarchy == MOUNT:
        _delegate(hierarchy)
        _delegate(group)
    else:
        _fill_cpuset(group)


def _fill_cpuset(group: Path) -> None:
    """Copy the parent's processors: in v1 a new cpuset is empty, and no process can run in it."""
    for setting in ("cpuset.cpus", "cpuset.mems"):
        if (group / setting).exists():
            (group / setting).write_text((group.parent / setting).read_text())


def _delegate(group: Path) -> None:
    """Let the children of a v2 group use the controllers that it has."""
    available = (group / "cgroup.controllers").read_text().split()
    wanted = " ".join(f"+{name}" for name in CONTROLLERS if name in available)
    (group / "cgroup.subtree_control").write_text(wanted)
