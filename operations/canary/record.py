"""What is kept of a canary outside git: a journal, a lock, and what other terminals ask for.

The journal says what was planned and what happened, for `--resume` and the report. What the weights are it
does not decide: the cluster and the stack's state do.
"""

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from operations.errors import OperationError


class Wish(StrEnum):
    """What a person can ask of a running canary."""

    pause = "pause"
    resume = "resume"
    promote = "promote"
    abort = "abort"


Entry = dict[str, Any]
"""A line of the journal: `time` in Unix seconds, `event`, and what belongs to it."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """The folder of one stack, readable by its owner alone."""

    folder: Path

    @classmethod
    def of(cls, backend: str, project: str, stack: str) -> Self:
        """Find the folder of a stack: the same name at another backend is another stack."""
        home = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state")
        where = hashlib.sha256(backend.encode()).hexdigest()[:12]
        return cls(folder=home / "mesh-app/canary" / where / quote(project, "") / quote(stack, ""))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Be the only canary of the stack. The lock goes with the process, however that ends.

        Raises:
            OperationError: there is another one.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _opened(self.folder / "lock", os.O_RDWR | os.O_CREAT) as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                said = os.pread(lock, 20, 0).decode() or "another process"
                raise OperationError(
                    f"a canary of this stack runs already, as process {said}",
                    mend="see it by --status; --pause, --resume, --promote and --abort reach it",
                ) from error
            os.ftruncate(lock, 0)
            os.pwrite(lock, str(os.getpid()).encode(), 0)
            # Asked of one that ended before it heard; what comes from here on is for this one.
            self.take()
            yield

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

    def begin(self) -> None:
        """Start a new journal; the old one goes, of which there is a report."""
        with suppress(FileNotFoundError):
            self._journal.unlink()

    def note(self, event: str, **words: object) -> None:
        """Add to the journal, and see that it is on disk."""
        line = json.dumps({"time": time.time(), "event": event, **words}, ensure_ascii=False)
        with _opened(self._journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND) as journal:
            os.write(journal, f"{line}\n".encode())
            os.fsync(journal)

    def entries(self) -> list[Entry]:
        """Read the journal. A last line that was not finished is left out."""
        with suppress(FileNotFoundError):
            lines = self._journal.read_text(encoding="utf-8").split("\n")
            return [json.loads(line) for line in lines[:-1]]
        return []

    def ask(self, wish: Wish) -> None:
        """Ask something of the canary that runs."""
        new = self.folder / f".wish.{os.getpid()}"
        with _opened(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) as handle:
            os.write(handle, wish.encode())
        new.replace(self._wish)

    def take(self) -> Wish | None:
        """Take what was asked for, if anything."""
        try:
            wish = Wish(self._wish.read_text())
            self._wish.unlink()
        except FileNotFoundError:
            return None
        return wish

    @property
    def wished(self) -> bool:
        """Whether something was asked for that the canary has not taken yet."""
        return self._wish.exists()

    @property
    def _journal(self) -> Path:
        return self.folder / "journal.jsonl"

    @property
    def _wish(self) -> Path:
        return self.folder / "wish"


def last(entries: list[Entry], event: str) -> Mapping[str, Any]:
    """Find the last entry of a kind; an empty one where there is none."""
    return next((each for each in reversed(entries) if each["event"] == event), {})


@contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    handle = os.open(path, flags | os.O_CLOEXEC, 0o600)
    try:
        yield handle
    finally:
        os.close(handle)
