"""Runs pulumi for a canary: out of the reach of a terminal's Ctrl-C, and with people heard meanwhile."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

import psutil
from pulumi import automation as auto
from pulumi.automation.errors import create_command_error

from operations.warm.host import Hosts

TICK_SECONDS = 0.5
"""Between two calls of what is to be done while pulumi runs."""
CANCEL_SECONDS = 60.0
"""How long pulumi may take to end what it is doing once it is asked to stop."""


class PulumiProcess(auto.PulumiCommand):
    """Runs pulumi where the terminal's Ctrl-C does not reach it: an update is never cut in two by that.

    Args:
        hosts: the language hosts of its updates.
    """

    def __init__(self, hosts: Hosts) -> None:
        super().__init__()
        self._hosts = hosts
        self._tick: Callable[[], None] | None = None

    @contextmanager
    def meanwhile(self, tick: Callable[[], None] | None) -> Iterator[None]:
        """Call something now and then while pulumi runs; what it raises ends pulumi, as Ctrl-C would."""
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
        """Run one command to its end."""
        # A step that failed is tried again with a refresh, and without what may have been to blame.
        ready = self._hosts.take() if args[0] == "up" and "--refresh" not in args else None
        host, flags = (ready[0], [f"--client={ready[1]}"]) if ready else (None, [])
        try:
            process = subprocess.Popen(
                [self.command, "--non-interactive", *args, *flags],
                cwd=cwd,
                env={**os.environ, **additional_env, "PULUMI_AUTOMATION_API": "true"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                start_new_session=True,
            )
            said, complained = self._to_its_end(process)
        finally:
            if host:
                host.end()
        for report_line, lines in ((on_output, said), (on_error, complained)):
            if report_line is not None:
                for line in lines.splitlines():
                    report_line(line)
        result = auto.CommandResult(stdout=said, stderr=complained, code=process.returncode)
        if process.returncode:
            raise create_command_error(result)
        return result

    def _to_its_end(self, process: subprocess.Popen[str]) -> tuple[str, str]:
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
    """Have pulumi end what it is doing, write its state and give the stack free; kill it if it does not."""
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
