"""A backend in files: the state of a stack, its backups and its locks.

Read from Pulumi 3.246, pkg/backend/diy: each step replaces the state by a rename and leaves the previous one
beside it as `.bak`; each finished update leaves its state in `history`.
"""

import datetime as dt
import gzip
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from operations.errors import OperationError
from operations.pulumi_stack.locks import Holder

SCHEME: Final = "file://"
GZIP: Final = b"\x1f\x8b"


@dataclass(frozen=True, kw_only=True)
class Backup:
    """An earlier state that can be read."""

    file: Path
    resources: int

    @property
    def time(self) -> dt.datetime:
        """When it was written."""
        return dt.datetime.fromtimestamp(self.file.stat().st_mtime, dt.UTC)

    def deployment(self) -> dict[str, Any]:
        """Read the state."""
        return _latest(self.file) or {}

    def __str__(self) -> str:
        """Return file, time and number of resources."""
        return f"{self.file.name}, of {self.time:%Y-%m-%d %H:%M:%S %Z}, with {self.resources} resources"


@dataclass(frozen=True, kw_only=True)
class FileBackend:
    """The files of one stack in a backend."""

    root: Path
    project: str
    stack: str

    @classmethod
    def of(cls, url: str | None, project: str, stack: str) -> Self | None:
        """Return it for the backend's URL; None for another kind of backend."""
        if not (url or "").startswith(SCHEME):
            return None
        place = str(url).removeprefix(SCHEME).partition("?")[0]
        return cls(root=Path(place).expanduser() / ".pulumi", project=project, stack=stack)

    def holders(self) -> list[Holder]:
        """List the holders of the stack's lock."""
        found = []
        for note in sorted((self.root / "locks/organization" / self.project / self.stack).glob("*.json")):
            try:
                lock = json.loads(note.read_text())
                since = dt.datetime.fromisoformat(lock["timestamp"])
                found.append(
                    Holder(user=lock["username"], host=lock["hostname"], pid=int(lock["pid"]), since=since)
                )
            except FileNotFoundError:
                continue  # released meanwhile
            except (ValueError, KeyError) as error:
                raise OperationError(
                    f"the lock of stack {self.stack} cannot be read: {note}",
                    evidence=str(error),
                    fix=f"if no update of the stack is running: rm {note}, then run the command again",
                ) from error
        return found

    def replacement(self) -> Backup | None:
        """Return the latest backup that can be read; None if the state itself can be read.

        Raises:
            OperationError: the state cannot be read, and there is no backup.
        """
        if self._file.exists() and _resources(self._file) is not None:
            return None
        readable = [
            Backup(file=each, resources=count) for each in self._backups() if (count := _resources(each))
        ]
        if readable:
            return max(readable, key=lambda each: each.time)
        if not self._file.exists():
            return None  # never deployed, or destroyed
        raise OperationError(
            f"the state of stack {self.stack} cannot be read, and there is no backup: {self._file}",
            fix=f"mv {self._file} {self._file}.broken, pulumi stack init {self.stack}, then run the "
            "command again: Pulumi adopts running objects that are as declared",
        )

    def restore(self, backup: Backup) -> Path | None:
        """Replace a state that cannot be read by a backup; returns where the broken one is stored."""
        broken = None
        if self._file.exists():
            broken = self._file.with_name(
                f"{self._file.name}.broken-{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%SZ}"
            )
            self._file.replace(broken)
        fresh = self._file.with_name(f"{self._file.name}.restored")
        shutil.copyfile(backup.file, fresh)
        fresh.chmod(0o600)
        fresh.replace(self._file)
        return broken

    @property
    def _file(self) -> Path:
        folder = self.root / "stacks" / self.project
        packed = folder / f"{self.stack}.json.gz"
        return packed if packed.exists() else folder / f"{self.stack}.json"

    def _backups(self) -> Iterator[Path]:
        yield from self._file.parent.glob(f"{self._file.name}.bak")
        suffix = "json.gz" if self._file.suffix == ".gz" else "json"
        yield from (self.root / "backups" / self.project / self.stack).glob(f"{self.stack}.*.{suffix}")
        yield from (self.root / "history" / self.project / self.stack).glob(f"*.checkpoint.{suffix}")


def _resources(file: Path) -> int | None:
    """Count the resources of a state; None if it cannot be read."""
    latest = _latest(file)
    return None if latest is None else len(latest.get("resources") or [])


def _latest(file: Path) -> dict[str, Any] | None:
    """Read a state, empty if the stack never had one; None if it cannot be read."""
    try:
        text = file.read_bytes()
        document = json.loads(gzip.decompress(text) if text.startswith(GZIP) else text)
        latest = document["checkpoint"].get("latest") or {}
        len(latest.get("resources") or [])
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return dict(latest)
