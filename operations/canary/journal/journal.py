"""The files of a canary: a journal, a lock, and the commands of other terminals.

`--resume` and the report read the plan and the events from the journal. The present weights are read from the
cluster and the stack's state instead.
"""

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import quote

from operations.canary.journal.inbox import Inbox
from operations.errors import OperationError

Entry = dict[str, Any]
"""A line of the journal: `time` in Unix seconds, `event`, and its fields."""
LOCK_TRIES: Final = 20
"""`--status` holds the lock for microseconds to see whether it is free; a canary holds it for minutes."""
LOCK_POLL_SECONDS: Final = 0.05


@dataclass(frozen=True, kw_only=True)
class Journal:
    """The folder of one stack, readable by its owner alone."""

    folder: Path
    _unwritten: list[bytes] = field(default_factory=list, init=False, repr=False, compare=False)
    """Lines that the disk had no room for; they are written before the next one."""

    @classmethod
    def of(cls, backend: str, project: str, stack: str) -> Self:
        """Return the folder of a stack: the same name at another backend is another stack."""
        home = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state")
        where = hashlib.sha256(backend.encode()).hexdigest()[:12]
        return cls(folder=home / "mesh-app/canary" / where / quote(project, "") / quote(stack, ""))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the stack against a second canary. The lock ends with the process.

        Raises:
            OperationError: another canary runs, or the folder cannot be written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            opened = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self._unusable(error) from error
        with os.fdopen(opened, "rb+", buffering=0):
            self._hold(opened)
            # The process id is for a message only: --abort works on a full disk.
            with suppress(OSError):
                os.ftruncate(opened, 0)
                os.pwrite(opened, str(os.getpid()).encode(), 0)
            with suppress(OSError):
                self.inbox.clear("it was sent to a canary that has ended")
            try:
                yield
            finally:
                with suppress(OSError):
                    self.inbox.refuse_all("the canary has ended: see --status")

    def _hold(self, lock: int) -> None:
        for _ in range(LOCK_TRIES):
            with suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            time.sleep(LOCK_POLL_SECONDS)
        holder = os.pread(lock, 20, 0).decode(errors="replace") or "another process"
        raise OperationError(
            f"a canary of this stack runs already, as process {holder}",
            fix="--status shows it; --pause, --resume, --promote and --abort control it",
        )

    @property
    def runs(self) -> bool:
        """Whether a canary holds the lock."""
        try:
            with _opened(self.folder / "lock", os.O_RDONLY) as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    @property
    def inbox(self) -> Inbox:
        """The commands of other terminals."""
        return Inbox(folder=self.folder / "commands")

    def begin(self, **words: object) -> None:
        """Start a new journal with its first line, in place of the old one, which has a report.

        Raises:
            OperationError: the folder cannot be written.
        """
        self._unwritten.clear()
        try:
            self._journal.unlink(missing_ok=True)
            self.note("begin", **words)
        except OSError as error:
            raise self._unusable(error) from error

    def note(self, event: str, **words: object) -> None:
        """Add a line to the journal, and flush it to the disk.

        Raises:
            OSError: it could not be written; it is written with the next line.
        """
        line = json.dumps({"time": time.time(), "event": event, **words}, default=str)
        self._unwritten.append(line.encode())
        with _opened(self._journal, os.O_RDWR | os.O_CREAT | os.O_APPEND) as journal:
            while self._unwritten:
                # A line that was cut by a kill is ended first, so that the next one can be read.
                size = os.fstat(journal).st_size
                cut = size and os.pread(journal, 1, size - 1) != b"\n"
                _append(journal, (b"\n" if cut else b"") + self._unwritten[0] + b"\n", size)
                del self._unwritten[0]
            os.fsync(journal)

    def entries(self) -> list[Entry]:
        """Read the journal. Incomplete lines are ignored."""
        return self._read()[0]

    @property
    def unreadable(self) -> int:
        """How many lines of the journal cannot be read: cut by a full disk or a kill."""
        return self._read()[1]

    def _read(self) -> tuple[list[Entry], int]:
        lines: list[bytes] = []
        with suppress(FileNotFoundError):
            lines = [line for line in self._journal.read_bytes().split(b"\n") if line]
        entries = [_entry(line) for line in [*lines, *self._unwritten]]
        whole = [each for each in entries if each is not None]
        return whole, len(entries) - len(whole)

    def _unusable(self, error: OSError) -> OperationError:
        return OperationError(
            f"the canary's journal cannot be written: {error}; nothing was changed",
            fix=f"free disk space, or let this user write to {self.folder}",
        )

    @property
    def _journal(self) -> Path:
        return self.folder / "journal.jsonl"


def last(entries: list[Entry], event: str) -> Mapping[str, Any]:
    """Find the last entry of an event; empty if there is none."""
    return next((each for each in reversed(entries) if each["event"] == event), {})


def first(entries: list[Entry], event: str) -> Mapping[str, Any]:
    """Find the first entry of an event; empty if there is none."""
    return next((each for each in entries if each["event"] == event), {})


def _entry(line: bytes) -> Entry | None:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    named = isinstance(entry, dict) and isinstance(entry.get("event"), str)
    return entry if named and isinstance(entry.get("time"), int | float) else None


def _append(handle: int, text: bytes, size: int) -> None:
    """Write all of the text or nothing: a nearly full disk writes only a part, without an error."""
    try:
        while text:
            text = text[os.write(handle, text) :]
    except OSError:
        with suppress(OSError):
            os.ftruncate(handle, size)
        raise


@contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    handle = os.open(path, flags | os.O_CLOEXEC, 0o600)
    try:
        yield handle
    finally:
        os.close(handle)
