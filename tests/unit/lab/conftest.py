"""What the tests share: places of their own, a progress to read, and programs that only pretend."""

import io
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console

from lab.places import Places
from lab.progress import Progress


@dataclass(frozen=True, kw_only=True)
class Programs:
    """A PATH of its own: nothing is found there but what a test puts there."""

    folder: Path

    def add(self, name: str, script: str, folder: Path | None = None) -> Path:
        """Put a shell script somewhere, by default on PATH."""
        path = (folder or self.folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{script}\n")
        path.chmod(0o755)
        return path

    def add_recorder(self, name: str, script: str = "") -> None:
        """Put a program on PATH that notes how it was called, then runs a script."""
        self.add(name, f'echo "{name} $*" >> {self._calls}\n{script}')

    @property
    def calls(self) -> list[str]:
        """How the recorders were called, in that order."""
        return self._calls.read_text().splitlines() if self._calls.exists() else []

    @property
    def _calls(self) -> Path:
        return self.folder / "calls"


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    """An empty PATH, and an empty home."""
    folder = tmp_path / "path"
    folder.mkdir()
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return Programs(folder=folder)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """The three folders of a lab, which do not exist yet."""
    return Places(
        checkout=tmp_path / "checkout", cache=tmp_path / "cache" / "lab", state=tmp_path / "state" / "lab"
    )


@pytest.fixture
def output() -> io.StringIO:
    """What `progress` printed."""
    return io.StringIO()


@pytest.fixture
def progress(output: io.StringIO) -> Progress:
    """A progress that prints where a test can read it, as into the log of a CI run."""
    return Progress(Console(file=output, soft_wrap=True, highlight=False))


def python(code: str) -> str:
    """A line of shell that becomes Python running this code."""
    quoted = code.replace("'", "'\\''")
    return f"exec '{sys.executable}' -c '{quoted}'"
