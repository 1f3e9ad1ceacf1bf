"""Runs a daemon: starts it detached, finds it by pid and start time, stops it by TERM, then KILL."""

import hashlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from lab.errors import LabError, tail
from lab.node import cgroups
from lab.node.pki import write_private
from lab.progress import Step

POLL_SECONDS = 0.1
KILL_SECONDS = 5
"""How long the kernel may take to remove a killed process; normally milliseconds."""


@dataclass(frozen=True, kw_only=True)
class Process:
    """A daemon of the lab."""

    name: str
    command: Sequence[str]
    folder: Path
    """The folder with the record of the running process."""
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    """All of its variables. None are from the shell: with another shell the process would be out of date."""
    inputs: Sequence[Path] = ()
    """Files that it reads at its start: if one changes, the running process is out of date."""
    ready: Callable[[], str] = lambda: ""
    """Returns why it is not ready; empty if it is."""
    patience: float = 60
    """Seconds it may take to become ready."""
    grace: float = 15
    """Seconds for a clean end before KILL."""

    @property
    def pid(self) -> int | None:
        """Its pid, if it runs."""
        record = self._record()
        pid = record.get("pid")
        if not isinstance(pid, int):
            return None
        since = started(pid)
        return pid if since is not None and since == record.get("started") else None

    @property
    def current(self) -> bool:
        """Whether it runs with the present command, environment and inputs."""
        return self.pid is not None and self._record().get("fingerprint") == self._fingerprint()

    def start(self) -> None:
        """Start it, unless it is current; one that is out of date is stopped first."""
        if self.current:
            return
        self.stop()
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.log.exists():
            # The log of the run before has the reason why that one ended.
            self.log.replace(self.log.with_suffix(".before.log"))
        with self.log.open("w") as log:
            self.log.chmod(0o600)
            try:
                process = subprocess.Popen(
                    self.command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=self.environment,
                    start_new_session=True,
                )
            except OSError as error:
                raise LabError(
                    f"{self.name} cannot be started: {error}", fix="make clean, then: make up"
                ) from error
        record = {
            "pid": process.pid,
            "started": started(process.pid),
            "fingerprint": self._fingerprint(),
        }
        try:
            cgroups.enter(process.pid)
            write_private(self._record_file, json.dumps(record).encode())
        except BaseException:
            process.kill()  # without group and record it could not be found again
            process.wait()
            raise

    def await_ready(self, step: Step) -> None:
        """Wait until it is ready.

        Raises:
            LabError: it ended, or it is not ready in time.
        """

        def missing() -> str:
            if self.pid is None:
                raise LabError(
                    f"{self.name} ended while it was starting",
                    fix=f"read {self.log}; make down, then: make up",
                    evidence=tail(self.log),
                )
            answer = self.ready()
            return f"{self.name}: {answer}" if answer else ""

        wait_until(missing, step, self.patience, self.log)

    def stop(self) -> None:
        """Stop it, if it runs."""
        pid = self.pid
        if pid is not None:
            for number, patience in ((signal.SIGTERM, self.grace), (signal.SIGKILL, KILL_SECONDS)):
                with suppress(ProcessLookupError):
                    os.kill(pid, number)
                if _gone(self, patience):
                    break
        self._record_file.unlink(missing_ok=True)

    @property
    def _record_file(self) -> Path:
        return self.folder / f"{self.name}.json"

    def _record(self) -> dict[str, object]:
        try:
            record = json.loads(self._record_file.read_text())
        except (OSError, ValueError):
            return {}
        return record if isinstance(record, dict) else {}

    def _fingerprint(self) -> str:
        digest = hashlib.sha256(repr((list(self.command), sorted(self.environment.items()))).encode())
        for path in self.inputs:
            digest.update(path.read_bytes() if path.exists() else b"")
        return digest.hexdigest()


def wait_until(missing: Callable[[], str], step: Step, patience: float, log: Path) -> None:
    """Wait until nothing is missing.

    Args:
        missing: returns what is missing; empty if nothing is.
        step: shows what is missing.
        patience: seconds to wait.
        log: its end is in the error message.

    Raises:
        LabError: something is still missing.
    """
    deadline = time.monotonic() + patience
    while lack := missing():
        step.describe(lack)
        if time.monotonic() > deadline:
            raise LabError(
                f"not ready after {patience:.0f} s: {lack}",
                fix=f"read {log}; make down, then: make up",
                evidence=tail(log),
            )
        time.sleep(POLL_SECONDS)
    step.describe("")


def started(pid: int) -> int | None:
    """Return when a process started, in clock ticks since boot, to recognise a pid that was used again.

    None for a process that does not exist, or is a zombie.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The name in brackets may contain anything: count from its end. Field 1 is the state, 18 the number of
    # threads, 20 the start time. The first thread may be dead while others still hold files and ports.
    fields = text.rpartition(")")[2].split()
    dead = fields[0] in "ZX" and int(fields[17]) <= 1
    return None if dead else int(fields[19])


def _gone(process: Process, patience: float) -> bool:
    deadline = time.monotonic() + patience
    while process.pid is not None and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    return process.pid is None
