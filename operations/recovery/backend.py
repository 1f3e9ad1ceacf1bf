"""A backend in files: where Pulumi keeps a stack's state, what was there before, and its locks.

Read from Pulumi 3.246, pkg/backend/diy: the state is written anew for each step, by a rename, and the one
before stays beside it as `.bak`; each finished update leaves its state in `history`.
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
    """A state that was written before, and can be read."""

    file: Path
    resources: int

    @property
    def time(self) -> dt.datetime:
        """When it was written."""
        return dt.datetime.fromtimestamp(self.file.stat().st_mtime, dt.UTC)

    def deployment(self) -> dict[str, Any]:
        """Read what it holds."""
        return _latest(self.file) or {}

    def __str__(self) -> str:
        """As a person reads it."""
        return f"{self.file.name}, of {self.time:%Y-%m-%d %H:%M:%S %Z}, with {self.resources} resources"


@dataclass(frozen=True, kw_only=True)
class FileBackend:
    """What a backend in files keeps of one stack."""

    root: Path
    project: str
    stack: str

    @classmethod
    def of(cls, url: str | None, project: str, stack: str) -> Self | None:
        """Find it by the backend's URL; None where the backend is another."""
        if not (url or "").startswith(SCHEME):
            return None
        place = str(url).removeprefix(SCHEME).partition("?")[0]
        return cls(root=Path(place).expanduser() / ".pulumi", project=project, stack=stack)

    def holders(self) -> list[Holder]:
        """Who locked the stack."""
        found = []
        for note in sorted((self.root / "locks/organization" / self.project / self.stack).glob("*.json")):
            try:
                said = json.loads(note.read_text())
                since = dt.datetime.fromisoformat(said["timestamp"])
                found.append(
                    Holder(user=said["username"], host=said["hostname"], pid=int(said["pid"]), since=since)
                )
            except FileNotFoundError:
                continue  # given back meanwhile
            except (ValueError, KeyError) as error:
                raise OperationError(
                    f"nobody can tell who locked stack {self.stack}: {note} cannot be read",
                    evidence=str(error),
                    fix=f"if no update of it runs anywhere: rm {note}, then the same command again",
                ) from error
        return found

    def replacement(self) -> Backup | None:
        """The latest state of before that can be read, where the present one cannot; None where it can.

        Raises:
            OperationError: the present one cannot be read, and there is none from before.
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
            f"the state of stack {self.stack} cannot be read, and there is none from before: {self._file}",
            fix=f"mv {self._file} {self._file}.broken, pulumi stack init {self.stack}, then the same "
            "command again: Pulumi takes running objects over that are as declared",
        )

    def restore(self, backup: Backup) -> Path | None:
        """Put a state of before in the place of the one that cannot be read, which is kept beside it."""
        kept = None
        if self._file.exists():
            kept = self._file.with_name(f"{self._file.name}.broken-{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%SZ}")
            self._file.replace(kept)
        fresh = self._file.with_name(f"{self._file.name}.restored")
        shutil.copyfile(backup.file, fresh)
        fresh.chmod(0o600)
        fresh.replace(self._file)
        return kept

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
    """Count the resources of a state; None where it cannot be read."""
    latest = _latest(file)
    return None if latest is None else len(latest.get("resources") or [])


def _latest(file: Path) -> dict[str, Any] | None:
    """Read a state, empty where the stack never had one; None where it cannot be read."""
    try:
        text = file.read_bytes()
        document = json.loads(gzip.decompress(text) if text.startswith(GZIP) else text)
        latest = document["checkpoint"].get("latest") or {}
        len(latest.get("resources") or [])
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return dict(latest)
