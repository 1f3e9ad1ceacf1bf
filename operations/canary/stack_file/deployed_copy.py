"""The last deployed stack file, for a rollback if the file itself cannot be read or changed."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from operations.canary.stack_file import edit
from operations.canary.stack_file.edit import Place, config_of, keys_of
from operations.canary.stack_file.yaml_text import flow
from operations.canary.traffic import ROUTE, Traffic
from operations.errors import OperationError
from operations.pulumi_stack.project import Project

MANUAL: Final = "stack.yaml"
MEMORY: Final = Path("/dev/shm")  # noqa: S108 (a name of its own and the owner's mode, by mkstemp)
"""A folder in memory, on Linux, for when every disk is full."""


@dataclass(kw_only=True)
class DeployedCopy:
    """The last deployed text of one stack file, also for a canary that is resumed after a kill."""

    project: Project
    stack: str
    service: str
    folder: Path
    """The canary's folder."""
    deployed: str = field(default="", init=False)
    """The text that a rollback can use."""
    written: str = field(default="", init=False)
    """The text that is deployed next."""
    draft: str | None = field(default=None, init=False)
    """The text that updates use in place of the file; None: they use the file."""

    def begin(self) -> None:
        """Store the present file."""
        self.write()
        self.deploy()

    def resume(self) -> None:
        """Load the last deployed text of the canary that is resumed."""
        self.deployed = self.written = stored(self.folder) or ""

    def write(self) -> None:
        """Record that the file was written, and use it for updates."""
        self.draft = None
        self.written = edit.read(self.project.stack_file(self.stack))

    def deploy(self) -> None:
        """Record that the written text is deployed; on a full disk only in this process."""
        if self.draft is not None or self.deployed == self.written:
            return
        self.deployed = self.written
        with suppress(OSError):
            _put(self.folder, self.deployed).replace(self.folder / MANUAL)

    def use(self, traffic: Traffic) -> str:
        """Use the copy, with other traffic, for updates; returns what to change in the file itself.

        Raises:
            OperationError: there is no copy.
        """
        if not self.deployed:
            raise OperationError("there is no copy of the stack file", fix="write the weights into it")
        place = Place.of(self.project.name, config_of(self.deployed), self.service)
        self.draft = edit.with_traffic(self.deployed, place, traffic)
        keys = keys_of(self.deployed, place)
        changes = [f"set {place.prefix}weights of {self.service} to {flow(dict(traffic.weights))}"]
        if any(each.get("name") == ROUTE for each in keys.get("routes") or ()):
            changes.append(f"delete the route named {ROUTE}")
        if traffic.owns_mirror and keys.get("mirror"):
            changes.append(f"delete {place.prefix}mirror")
        return f"in {self.project.stack_file(self.stack).name}: {', '.join(changes)}"

    @contextmanager
    def file(self) -> Iterator[Path | None]:
        """Write a temporary file for an update in place of the stack file; None for the stack file itself.

        Raises:
            OSError: it can be written to no folder.
        """
        if self.draft is None:
            yield None
            return
        path = _store_in_any(self.draft, (self.folder, Path(tempfile.gettempdir()), MEMORY))
        try:
            yield path
        finally:
            with suppress(OSError):
                path.unlink()


def stored(folder: Path) -> str | None:
    """Read the stored copy of a canary, if there is one."""
    with suppress(OSError, UnicodeError):
        return edit.read(folder / MANUAL)
    return None


def _store_in_any(text: str, folders: tuple[Path, ...]) -> Path:
    for folder in folders:
        with suppress(OSError):
            return _put(folder, text)
    raise OSError(f"no room for a copy of the stack file in {', '.join(map(str, folders))}")


def _put(folder: Path, text: str) -> Path:
    """Write a new file atomically, readable by its owner only."""
    handle, name = tempfile.mkstemp(dir=folder, prefix="stack-", suffix=".yaml")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as new:
            new.write(text)
    except OSError:
        Path(name).unlink()
        raise
    return Path(name)
