"""The stack file as it was last deployed: for a rollback where the file itself cannot be read or changed."""

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
"""A folder without a disk, on Linux: it takes a file where every disk is full."""


@dataclass(kw_only=True)
class DeployedCopy:
    """The text of one stack file as it was last deployed, also for a canary that goes on after a kill."""

    project: Project
    stack: str
    service: str
    folder: Path
    """The canary's own."""
    deployed: str = field(default="", init=False)
    """What a rollback can be made of."""
    written: str = field(default="", init=False)
    """What is deployed next."""
    draft: str | None = field(default=None, init=False)
    """What updates take in the place of the file; None for the file itself."""

    def begin(self) -> None:
        """Remember the file as it is."""
        self.write()
        self.deploy()

    def resume(self) -> None:
        """Remember what the canary that ended had deployed last."""
        self.deployed = self.written = kept(self.folder) or ""

    def write(self) -> None:
        """Remember that the file was written: updates take it."""
        self.draft = None
        self.written = edit.read(self.project.stack_file(self.stack))

    def deploy(self) -> None:
        """Remember that what was written is deployed. On a full disk this process alone remembers it."""
        if self.draft is not None or self.deployed == self.written:
            return
        self.deployed = self.written
        with suppress(OSError):
            _put(self.folder, self.deployed).replace(self.folder / MANUAL)

    def use(self, traffic: Traffic) -> str:
        """Have updates take the copy with other traffic; returns what to change in the file itself.

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
        """Hold a file for an update in the place of the stack file; None for the stack file itself.

        Raises:
            OSError: no folder takes it.
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


def kept(folder: Path) -> str | None:
    """Read the copy of a canary that ended, if there is one."""
    with suppress(OSError, UnicodeError):
        return edit.read(folder / MANUAL)
    return None


def _store_in_any(text: str, folders: tuple[Path, ...]) -> Path:
    for folder in folders:
        with suppress(OSError):
            return _put(folder, text)
    raise OSError(f"no room for a copy of the stack file in {', '.join(map(str, folders))}")


def _put(folder: Path, text: str) -> Path:
    """Write a new file, whole or not at all, for its owner alone."""
    handle, name = tempfile.mkstemp(dir=folder, prefix="stack-", suffix=".yaml")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as new:
            new.write(text)
    except OSError:
        Path(name).unlink()
        raise
    return Path(name)
