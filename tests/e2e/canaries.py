"""Canaries for the tests: a stack with a plan of seconds, a process that can be watched, asked and killed."""

import json
import os
import pty
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import psutil

from tests.e2e import load
from tests.e2e.changes import APP
from tests.e2e.conftest import CHECKOUT, Stack

NAMESPACE: Final = f"e2e-canary{os.environ.get('CANARY_WORKER', '')}"
HOST: Final = f"{NAMESPACE}.example.com"
URL: Final = "http://127.0.0.1:31380/hello"
PLATFORMS: Final = "istio-system/prometheus:9090"
PROMETHEUS: Final = os.environ.get("CANARY_PROMETHEUS", PLATFORMS)
"""The platform's, unless told otherwise."""
RATE: Final = 200
"""Requests a second while a canary runs."""
V1: Final = {"tag": "42", "replicas": 2}
V2: Final = {"tag": "43", "replicas": 2}
PATIENCE_SECONDS: Final = 300
"""For what a canary says, or for its end; nothing here takes a third as long on an idle machine."""

PLAN: Final[Mapping[str, Any]] = {
    "steps": [10, 30],
    "hold": "8s",
    "interval": "4s",
    "minRequests": 30,
    "checks": [
        {"successRate": {"atLeast": 99}},
        {"latency": {"percentile": 90, "atMost": "400ms"}},
    ],
}
"""10 %, 30 % and everything, each watched for 8 s."""


def settings() -> dict[str, Any]:
    """One version has everything."""
    return {
        "namespace": {"name": NAMESPACE},
        "app": APP,
        "versions": {"v1": V1},
        "weights": {"v1": 100},
        "gateway": {"hosts": [HOST]},
        "ingress": {"address": "127.0.0.1"},
        "canary": dict(PLAN),
        "metrics": {"prometheus": PROMETHEUS},
    }


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

    def says(self, words: str, seconds: float = PATIENCE_SECONDS) -> None:
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


class Users:
    """A constant load of requests from outside, from enter to exit."""

    def __init__(self, rate: int = RATE) -> None:
        self._load = load.from_here(URL, rate=rate, host=HOST, slow=False)

    def __enter__(self) -> Self:
        """Start asking."""
        self._load.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop asking."""
        self._load.__exit__(kind, error, trace)

    @property
    def requests(self) -> int:
        """How many there were."""
        return self._load.report.requests

    @property
    def lost(self) -> list[str]:
        """Failures but those that the new version itself answered."""
        report = self._load.report
        assert report.failed == len(report.failures), "more failures than are told in detail"
        return [each for each in report.failures if "v2 fails" not in each]

    @property
    def failed_by_v2(self) -> int:
        """Failures that the new version itself answered."""
        return self._load.report.failed - len(self.lost)

    @property
    def saw_v2(self) -> int:
        """How many the new version answered, well or badly."""
        return self._load.report.answers["v2"] + self.failed_by_v2
