"""Stacks of a benchmark's own: this program with another stack file, and a flat program beside it."""

import json
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import yaml

from bench.commands import CHECKOUT, Manifest, run

PROGRAM: Final = ("Pulumi.yaml", "__main__.py", "components", "requirements.txt", ".venv")
"""Files of the checkout that make a project folder."""


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A stack and its project folder."""

    folder: Path
    name: str

    @classmethod
    def at(cls, folder: Path, name: str, settings: Mapping[str, object]) -> Self:
        """Make a project folder of this program with a stack file."""
        folder.mkdir(parents=True, exist_ok=True)
        for each in PROGRAM:
            if not (folder / each).exists():
                (folder / each).symlink_to(CHECKOUT / each)
        stack = cls(folder=folder, name=name)
        stack._write({})
        stack.configure(**settings)
        return stack

    @classmethod
    def flat(cls, folder: Path, name: str, objects: Sequence[Manifest]) -> Self:
        """Make a project folder of the flat program that declares these objects."""
        shutil.copytree(CHECKOUT / "bench/flat", folder, dirs_exist_ok=True)
        if not (folder / ".venv").exists():
            (folder / ".venv").symlink_to(CHECKOUT / ".venv")
        stack = cls(folder=folder, name=name)
        stack.declare(objects)
        return stack

    @property
    def namespace(self) -> str:
        """The namespace that the stack file names."""
        return str(self._config()["mesh-app:namespace"]["name"])

    def configure(self, **settings: object) -> None:
        """Set keys of the stack file; None removes one."""
        config = self._config()
        config.update({f"mesh-app:{key}": value for key, value in settings.items()})
        self._write({key: value for key, value in config.items() if value is not None})

    def declare(self, objects: Sequence[Manifest]) -> None:
        """Write what the flat program declares."""
        (self.folder / "objects.json").write_text(json.dumps(objects))

    def pulumi(self, *words: str, accepted: Collection[int] = (0,)) -> subprocess.CompletedProcess[str]:
        """Run pulumi on this stack."""
        command = ("pulumi", *words, "--stack", self.name, "--non-interactive")
        return run(*command, cwd=self.folder, accepted=accepted)

    def create(self) -> None:
        """Create the stack, or select it if it is there already."""
        self.pulumi("stack", "select", "--create")

    def up(self) -> None:
        """`pulumi up`, as in a pipeline."""
        self.pulumi("up", "--yes", "--skip-preview")

    def remove(self) -> None:
        """Destroy the stack, also after an update that was interrupted."""
        self.pulumi("cancel", "--yes", accepted=())
        self.pulumi("destroy", "--yes", "--skip-preview", "--remove")

    def operations(self, *words: str, accepted: Collection[int] = (0,)) -> subprocess.CompletedProcess[str]:
        """Run `python -m operations` on this stack, with the records of canaries in its folder."""
        options = ("--stack", self.name, "--cwd", str(self.folder))
        state = {"XDG_STATE_HOME": str(self.folder / "state")}
        return run(sys.executable, "-m", "operations", *words, *options, accepted=accepted, variables=state)

    def manifests(self) -> list[Manifest]:
        """Return the objects that `operations render` prints."""
        document = json.loads(self.operations("render", "--output", "json").stdout)
        return list(document["items"])

    @property
    def _file(self) -> Path:
        return self.folder / f"Pulumi.{self.name}.yaml"

    def _config(self) -> dict[str, Any]:
        return dict(yaml.safe_load(self._file.read_text())["config"])

    def _write(self, config: Mapping[str, object]) -> None:
        """Write the configuration, and keep the salt that Pulumi put into the file."""
        document = yaml.safe_load(self._file.read_text()) if self._file.exists() else {}
        cluster = {"kubernetes:context": "lab", "pulumi:disable-default-providers": ["kubernetes"]}
        self._file.write_text(yaml.safe_dump({**document, "config": {**cluster, **config}}))


@contextmanager
def deployed(stack: Stack) -> Iterator[Stack]:
    """Bring a stack up, and remove it at the end."""
    stack.create()
    try:
        stack.up()
        yield stack
    finally:
        stack.remove()
