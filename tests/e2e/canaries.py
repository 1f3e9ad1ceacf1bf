"""Canaries for tests: a process of the command that can be watched, asked, interrupted and killed."""

import json
import os
import pty
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psutil

from tests.e2e.conftest import CHECKOUT, Stack

PATIENCE_SECONDS: Final = 300
"""For what a canary says, or for its end; nothing here takes a third as long on an idle machine."""


@dataclass(kw_only=True)
class Canary:
    """The canaries of one stack, whose journals are the test's own."""

    stack: Stack
    home: Path
    """Where journals and reports are kept."""
    runs: list["Run"] = field(default_factory=list)

    def begins(self, *words: str, terminal: bool = False) -> "Run":
        """Start a canary to v2."""
        return self.run("--to", "v2", "--yes", *words, terminal=terminal)

    def run(self, *words: str, terminal: bool = False) -> "Run":
        """Start the command with other words."""
        run = Run(self, words, terminal=terminal)
        self.runs.append(run)
        return run

    def asks(self, *words: str) -> tuple[int, str]:
        """Run the command to its end, as from another terminal; returns exit code and what it said."""
        run = self.run(*words)
        return run.ends(), run.said

    @property
    def report(self) -> dict[str, Any]:
        """The report of the last canary."""
        document: dict[str, Any] = json.loads((self.home / "report/report.json").read_text())
        return document

    @property
    def weights(self) -> list[int]:
        """What v2 was given, in its order, by the report."""
        return [each["weights"].get("v2", 0) for each in self.report["events"] if each["event"] == "applied"]

    def end(self) -> None:
        """End what still runs."""
        for run in self.runs:
            run.kill()


class Run:
    """One process of `python -m operations canary`."""

    def __init__(self, canary: Canary, words: tuple[str, ...], *, terminal: bool) -> None:
        self._log = canary.home / f"run-{len(canary.runs)}.log"
        report = canary.home / "report"
        command = ("canary", "--stack", canary.stack.name, "--cwd", str(canary.stack.shell.folder), *words)
        shell = f'source .lab/env && exec python -m operations "$@" --report {report}'
        self._keyboard: int | None
        self._keyboard, theirs = pty.openpty() if terminal else (None, None)
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                ["bash", "-c", shell, "bash", *command],
                cwd=CHECKOUT,
                env={**os.environ, "XDG_STATE_HOME": str(canary.home), "PYTHONUNBUFFERED": "1"},
                stdin=theirs if terminal else subprocess.DEVNULL,
                stdout=theirs if terminal else log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        if theirs is not None:
            os.close(theirs)

    @property
    def said(self) -> str:
        """All that it said so far."""
        self._hear()
        return self._log.read_text(errors="replace")

    def description(self, words: str, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until it says something."""
        deadline = time.monotonic() + seconds
        while words not in self.said:
            code = self.process.poll()
            assert code is None or words in self.said, f"ended with {code} before {words!r}:\n{self.said}"
            assert time.monotonic() < deadline, f"never said {words!r}:\n{self.said}"
            time.sleep(0.05)

    def ends(self, seconds: float = PATIENCE_SECONDS) -> int:
        """Wait until it ends; returns its exit code."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            self._hear()
            assert time.monotonic() < deadline, f"never ended:\n{self.said}"
            time.sleep(0.05)
        return int(self.process.returncode)

    def updates(self, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until one of its updates runs."""
        deadline = time.monotonic() + seconds
        while not any("up" in words for words in self._children()):
            assert self.process.poll() is None, self.said
            assert time.monotonic() < deadline, f"never began an update:\n{self.said}"
            time.sleep(0.02)

    def _children(self) -> Iterator[list[str]]:
        for each in psutil.Process(self.process.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                yield each.cmdline()

    def kill(self, *, updates: bool = True) -> None:
        """`kill -9`, of the updates that it runs as well unless told otherwise."""
        if self.process.poll() is not None:
            return
        doomed = psutil.Process(self.process.pid).children(recursive=True) if updates else []
        for each in [psutil.Process(self.process.pid), *doomed]:
            try:
                each.kill()
            except psutil.NoSuchProcess:
                continue
        self.process.wait()

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        os.kill(self.process.pid, signal.SIGINT)

    def types(self, words: str) -> None:
        """Answer a question on its terminal."""
        assert self._keyboard is not None
        os.write(self._keyboard, f"{words}\n".encode())

    def _hear(self) -> None:
        """Take down what stands on its terminal."""
        if self._keyboard is None:
            return
        os.set_blocking(self._keyboard, False)
        with self._log.open("ab") as log:
            try:
                while said := os.read(self._keyboard, 1 << 16):
                    log.write(said)
            except OSError:
                # Nothing more just now, or the other side is closed.
                return
