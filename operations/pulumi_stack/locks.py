"""Report the holders of a stack's lock, and wait for it.

Pulumi runs one update of a stack at a time. A backend in files or in a bucket stores a file for each lock:
user, host, process and time. A process that was killed leaves its file behind. Pulumi Cloud has no such
file: the lock expires some minutes after its process.
"""

import datetime as dt
import re
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import psutil
from pulumi import automation as auto

from operations.errors import OperationError

T = TypeVar("T")
ReportLine = Callable[[str], None]

POLL_SECONDS: Final = 1.0
REPORT_SECONDS: Final = 15.0
"""Time between two reports of a wait."""

_NOTE: Final = re.compile(
    r"created by (?P<user>.*)@(?P<host>[^@\s]*) \(pid (?P<pid>\d+)\) at (?P<since>\S+)", re.MULTILINE
)
"""The format of pkg/backend/diy/lock.go."""

_IN_CONTAINERS: Final = re.compile(r"^NSpid:\s+(?P<pids>[\d\s]+)$", re.MULTILINE)

INITIAL: Final = {"pid": "pid:[4026531836]", "uts": "uts:[4026531838]"}
"""The initial namespaces of a machine: include/linux/proc_ns.h of Linux."""


@dataclass(frozen=True, kw_only=True)
class Holder:
    """A process that locked the stack."""

    user: str
    host: str
    pid: int
    since: dt.datetime

    def __str__(self) -> str:
        """Return user, host, process and time."""
        return f"{self.user}@{self.host}, process {self.pid}, since {self.since:%Y-%m-%d %H:%M:%S %Z}"

    @property
    def ended(self) -> bool:
        """Whether the process has certainly ended; False for a process of another machine.

        Start times are not compared: they move with the clock of the machine. Linux reuses the ids of ended
        processes, so only a pulumi with this id counts as the holder.
        """
        if self.host != socket.gethostname() or _has_hidden_processes():
            return False
        return not any(self.pid in _ids(each) for each in psutil.process_iter() if _is_pulumi(each))


def _is_pulumi(process: psutil.Process) -> bool:
    """Return whether a process is a running pulumi; a killed one has its name until it is reaped."""
    try:
        # Some distributions wrap it: `.pulumi-wrapped`.
        return "pulumi" in process.name() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _ids(process: psutil.Process) -> set[int]:
    """List the ids of a process: its own, and those in its containers.

    A container with the machine's host name writes the id inside the container into the lock.
    """
    found = _IN_CONTAINERS.search(_status(process.pid))
    return {process.pid, *map(int, found["pids"].split() if found else ())}


def _status(pid: int) -> str:
    """Read the status file of a process on Linux; empty elsewhere."""
    try:
        return Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return ""


def _has_hidden_processes() -> bool:
    """Return whether this is a container with its machine's host name, which cannot see its processes."""
    try:
        return INITIAL["uts"] == _namespace("uts") and INITIAL["pid"] != _namespace("pid")
    except OSError:
        return False  # not Linux


def _namespace(kind: str) -> str:
    return str(Path(f"/proc/self/ns/{kind}").readlink())


class StackLocked(OperationError):
    """Another update of the stack is running."""


def holders(error: auto.ConcurrentUpdateError) -> list[Holder]:
    """Read the holders from Pulumi's error; none if the backend does not report them."""
    return [
        Holder(
            user=match["user"],
            host=match["host"],
            pid=int(match["pid"]),
            since=dt.datetime.fromisoformat(match["since"]),
        )
        for match in _NOTE.finditer(str(error))
    ]


def locked(stack: str, found: Sequence[Holder]) -> OperationError:
    """Return the error that reports the holders and how to release the lock."""
    if found and all(each.ended for each in found):
        return OperationError(
            f"stack {stack} is locked by a process that ended without releasing the lock: {_listed(found)}",
            fix=f"python -m operations recover --stack {stack}, which repairs the stack; or, for the lock "
            f"alone: pulumi cancel --yes --stack {stack}, then run the command again",
        )
    return StackLocked(
        f"stack {stack} is locked: another update of it is running; nothing was changed",
        evidence="\n".join(f"held by {each}" for each in found),
        fix="wait until it has ended. If its process is certainly gone: "
        f"pulumi cancel --yes --stack {stack}, then python -m operations recover --stack {stack}",
    )


def patiently(work: Callable[[], T], *, stack: str, seconds: float, report_line: ReportLine) -> T:
    """Do work that takes the stack's lock, and repeat it until another update has ended.

    Args:
        work: calls the Automation API.
        stack: the stack's name.
        seconds: how long to wait; 0 to try once.
        report_line: gets a line with the holders at once and every 15 s.

    Raises:
        OperationError: the stack is still locked, or the holder ended without releasing the lock.
    """
    ends, next_report = time.monotonic() + seconds, time.monotonic()
    while True:
        try:
            return work()
        except auto.ConcurrentUpdateError as error:
            found = holders(error)
            now = time.monotonic()
            if now >= ends or (found and all(each.ended for each in found)):
                raise locked(stack, found) from error
            if now >= next_report:
                held = _listed(found) or "another update"
                report_line(f"waiting up to {ends - now:.0f} s for the lock of stack {stack}, held by {held}")
                next_report = now + REPORT_SECONDS
            time.sleep(min(POLL_SECONDS, ends - now))


def _listed(found: Sequence[Holder]) -> str:
    return "; ".join(map(str, found))
