"""Runs one hook: a command, or an HTTP request."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Final

import httpx

from operations.canary.plan import Hook

LAST_LINES = 5
"""Lines of a failed command's output in the message."""
POLL_SECONDS = 0.2
VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True, kw_only=True)
class Occasion:
    """What a hook is called with."""

    stack: str
    service: str
    version: str
    step: int
    steps: int
    weight: int
    outcome: str
    """Empty while the canary runs."""
    text: str
    """A sentence for a chat."""

    @property
    def payload(self) -> dict[str, object]:
        """The body of a POST; chats show its `text`."""
        return dict(vars(self))

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables of a command."""
        return {f"CANARY_{name.upper()}": str(value) for name, value in vars(self).items()}


def run(hook: Hook, occasion: Occasion, folder: Path, tick: Callable[[], None]) -> str | None:
    """Run a hook; returns its error, None if it succeeded.

    Args:
        hook: the hook.
        occasion: the moment it is called at.
        folder: the working directory of a command.
        tick: called now and then meanwhile; an exception ends the hook.
    """
    if hook.post is not None:
        return _post(expanded(hook.post), occasion.payload, hook.timeout, tick)
    shell = isinstance(hook.run, str)
    words = ["sh", "-c", str(hook.run)] if shell else list(hook.run or ())
    return _command(words, occasion.variables, folder, hook.timeout, tick)


def expanded(text: str) -> str:
    """Replace `${NAME}` by environment variables; any other `$` is plain text."""
    return VARIABLE.sub(lambda found: os.environ.get(found[1], found[0]), text)


def _post(url: str, payload: Mapping[str, object], timeout: float, tick: Callable[[], None]) -> str | None:
    errors: list[str | None] = []
    # A daemon thread: after `--abort`, the answer of an approval is not waited for.
    asking = Thread(target=lambda: errors.append(_answer(url, payload, timeout)), daemon=True)
    asking.start()
    deadline = time.monotonic() + timeout
    while True:
        asking.join(POLL_SECONDS)
        if not asking.is_alive():
            return errors[0]
        if time.monotonic() > deadline:
            return _too_long(timeout)
        tick()


def _answer(url: str, payload: Mapping[str, object], timeout: float) -> str | None:
    try:
        answer = httpx.post(url, json=payload, timeout=timeout)
    except httpx.TimeoutException:
        return _too_long(timeout)
    except Exception as error:  # noqa: BLE001 (some invalid URLs raise other errors than httpx's)
        return f"no answer: {type(error).__name__}"
    return None if answer.is_success else f"answered {answer.status_code}"


def _too_long(timeout: float) -> str:
    return f"took longer than {timeout:g} s"


def _command(
    words: list[str],
    variables: Mapping[str, str],
    folder: Path,
    timeout: float,
    tick: Callable[[], None],
) -> str | None:
    try:
        process = subprocess.Popen(
            words,
            cwd=folder,
            env={**os.environ, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        return f"{words[0]}: {error.strerror}"
    with process:
        deadline = time.monotonic() + timeout
        output, ended = "", False
        try:
            while True:
                try:
                    output, _ = process.communicate(timeout=POLL_SECONDS)
                    ended = True
                    break
                except subprocess.TimeoutExpired:
                    if time.monotonic() > deadline:
                        return _too_long(timeout)
                    tick()
        finally:
            if not ended:
                # Also if the command has ended, and a process that it started keeps its output open.
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
    if process.returncode == 0:
        return None
    lines = output.strip().splitlines()[-LAST_LINES:]
    return f"exit code {process.returncode}{': ' if lines else ''}{' | '.join(lines)}"
