"""Who holds the lock of a stack, and waiting for it in plain sight.

Pulumi lets one update of a stack run at a time. A backend in files or in a bucket keeps a note for each lock:
who, where, which process, since when. A process that was killed leaves its note behind. Pulumi Cloud has no
such note: there the lock ends by itself some minutes after its process.
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
SAY_SECONDS: Final = 15.0
"""How often a wait is mentioned again."""

_NOTE: Final = re.compile(
    r"created by (?P<user>.*)@(?P<host>[^@\s]*) \(pid (?P<pid>\d+)\) at (?P<since>\S+)", re.MULTILINE
)
"""As Pulumi writes it: pkg/backend/diy/lock.go."""

_IN_CONTAINERS: Final = re.compile(r"^NSpid:\s+(?P<pids>[\d\s]+)$", re.MULTILINE)

INITIAL: Final = {"pid": "pid:[4026531836]", "uts": "uts:[4026531838]"}
"""The machine's own namespaces: include/linux/proc_ns.h of Linux."""


@dataclass(frozen=True, kw_only=True)
class Holder:
    """A process that locked the stack."""

    user: str
    host: str
    pid: int
    since: dt.datetime

    def __str__(self) -> str:
        """As a person reads it."""
        return f"{self.user}@{self.host}, process {self.pid}, since {self.since:%Y-%m-%d %H:%M:%S %Z}"

    @property
    def ended(self) -> bool:
        """Whether the process surely runs no more. Of other machines nothing is sure.

        No clock is asked: the start time of a process moves with the clock of its machine. The number of a
        process that ended is given out again, so only a pulumi of that number counts as the holder.
        """
        if self.host != socket.gethostname() or _sees_too_little():
            return False
        return not any(self.pid in _numbers(each) for each in psutil.process_iter() if _is_pulumi(each))


def _is_pulumi(process: psutil.Process) -> bool:
    """Tell whether a process is a living pulumi: one that was killed keeps its name until it is reaped."""
    try:
        # Some distributions wrap it: `.pulumi-wrapped`.
        return "pulumi" in process.name() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _numbers(process: psutil.Process) -> set[int]:
    """List the numbers of a process: its own here, and those in the containers in which it is.

    A container that shares the machine's host name notes the number that the process has inside.
    """
    found = _IN_CONTAINERS.search(_status(process.pid))
    return {process.pid, *map(int, found["pids"].split() if found else ())}


def _status(pid: int) -> str:
    """Read what Linux tells of a process; nothing elsewhere."""
    try:
        return Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return ""


def _sees_too_little() -> bool:
    """Tell whether this is a container with the host name of its machine, whose processes it cannot see."""
    try:
        return INITIAL["uts"] == _namespace("uts") and INITIAL["pid"] != _namespace("pid")
    except OSError:
        return False  # not Linux, so no container


def _namespace(kind: str) -> str:
    return str(Path(f"/proc/self/ns/{kind}").readlink())


class StackLocked(OperationError):
    """Another update of the stack runs."""


def holders(error: auto.ConcurrentUpdateError) -> list[Holder]:
    """Read who holds the lock from what Pulumi said; nobody, where the backend does not say it."""
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
    """Say who holds the lock, and what to do about it."""
    if found and all(each.ended for each in found):
        return OperationError(
            f"stack {stack} is locked by a process that ended without giving the lock back: {_listed(found)}",
            fix=f"python -m operations recover --stack {stack}, which brings stack and cluster in order; "
            f"or, for the lock alone: pulumi cancel --yes --stack {stack}, then the same command again",
        )
    return StackLocked(
        f"stack {stack} is locked: another update of it runs; nothing was changed",
        evidence="\n".join(f"held by {each}" for each in found),
        fix="wait until it has ended. If you know that its process is gone: "
        f"pulumi cancel --yes --stack {stack}, then python -m operations recover --stack {stack}",
    )


def patiently(work: Callable[[], T], *, stack: str, seconds: float, report_line: ReportLine) -> T:
    """Do something that takes the stack's lock, and wait for another update to end first.

    Args:
        work: what to do, through the Automation API; tried again while the stack is locked.
        stack: its name.
        seconds: how long to wait; 0 to try once.
        report_line: is told who holds the lock, at once and every 15 s.

    Raises:
        OperationError: it is still locked, or the holder ended without giving the lock back.
    """
    ends, description = time.monotonic() + seconds, time.monotonic()
    while True:
        try:
            return work()
        except auto.ConcurrentUpdateError as error:
            found = holders(error)
            now = time.monotonic()
            if now >= ends or (found and all(each.ended for each in found)):
                raise locked(stack, found) from error
            if now >= description:
                held = _listed(found) or "another update"
                report_line(f"waiting up to {ends - now:.0f} s for the lock of stack {stack}, held by {held}")
                description = now + SAY_SECONDS
            time.sleep(min(POLL_SECONDS, ends - now))


def _listed(found: Sequence[Holder]) -> str:
    return "; ".join(map(str, found))
