"""Run pulumi for a canary: without the terminal's Ctrl-C, and with a callback while it runs."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Final

import psutil
from pulumi import automation as auto
from pulumi.automation.errors import create_command_error

TICK_SECONDS: Final = 0.5
"""Time between two calls of the callback."""
CANCEL_SECONDS: Final = 60.0
"""How long pulumi may take to finish its current steps after SIGINT, before it is killed."""


class PulumiProcess(auto.PulumiCommand):
    """Runs pulumi in a session of its own, so that the terminal's Ctrl-C interrupts no update."""

    def __init__(self) -> None:
        super().__init__()
        self._tick: Callable[[], None] | None = None

    @contextmanager
    def meanwhile(self, tick: Callable[[], None] | None) -> Iterator[None]:
        """Call `tick` regularly while pulumi runs; an exception from it cancels pulumi, as Ctrl-C does."""
        self._tick = tick
        try:
            yield
        finally:
            self._tick = None

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: auto.OnOutput | None = None,
        on_error: auto.OnOutput | None = None,
    ) -> auto.CommandResult:
        """Run one command until it ends."""
        process = subprocess.Popen(
            [self.command, "--non-interactive", *args],
            cwd=cwd,
            env={**os.environ, **additional_env, "PULUMI_AUTOMATION_API": "true"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        stdout, stderr = self._completed(process)
        for callback, text in ((on_output, stdout), (on_error, stderr)):
            if callback is not None:
                for line in text.splitlines():
                    callback(line)
        result = auto.CommandResult(stdout=stdout, stderr=stderr, code=process.returncode)
        if process.returncode:
            raise create_command_error(result)
        return result

    def _completed(self, process: subprocess.Popen[str]) -> tuple[str, str]:
        with process:
            if self._tick is None:
                return process.communicate()
            while True:
                try:
                    return process.communicate(timeout=TICK_SECONDS)
                except subprocess.TimeoutExpired:
                    try:
                        self._tick()
                    except BaseException:
                        _cancel(process)
                        raise


def _cancel(process: subprocess.Popen[str]) -> None:
    """Let pulumi finish its current steps, write its state and release the lock; else kill it."""
    process.send_signal(signal.SIGINT)
    try:
        process.communicate(timeout=CANCEL_SECONDS)
    except subprocess.TimeoutExpired:
        _kill(process.pid)


def _kill(session: int) -> None:
    """Kill pulumi and its plugins, which have process groups of their own in its session."""
    for each in psutil.pids():
        with suppress(OSError):
            if os.getsid(each) == session:
                os.kill(each, signal.SIGKILL)
