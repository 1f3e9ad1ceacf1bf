"""Run pulumi as a canary does, with a script in place of pulumi."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from pulumi import automation as auto

from operations.canary.deploy import pulumi_process
from operations.canary.deploy.pulumi_process import PulumiProcess

CLEANS_UP = """#!/bin/sh
trap 'echo cancelled >> log; exit 255' INT
echo began >> log
while :; do sleep 0.05; done
"""
LIMIT_SECONDS = 10


class CalledOffError(Exception):
    """Raised by the callback."""


@pytest.fixture(autouse=True)
def _interruptible() -> Iterator[None]:
    """A shell ignores SIGINT in the background; a script that inherits this could not catch it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PulumiProcess:
    """Runs the script instead of pulumi."""
    monkeypatch.setattr(auto.PulumiCommand, "__init__", lambda _self: None)
    session = PulumiProcess()
    session.command = str(tmp_path / "pulumi")
    return session


def script(folder: Path, text: str) -> None:
    """Put a script in pulumi's place."""
    (folder / "pulumi").write_text(text)
    (folder / "pulumi").chmod(0o700)


def test_it_is_asked_to_stop_and_waited_for(session: PulumiProcess, tmp_path: Path) -> None:
    """With a signal after which it cleans up; then the exception of the callback is raised."""
    script(tmp_path, CLEANS_UP)
    began = time.monotonic()

    def called_off() -> None:
        if (tmp_path / "log").exists():
            raise CalledOffError

    with session.meanwhile(called_off), pytest.raises(CalledOffError):
        session.run(["up"], str(tmp_path), {})
    assert (tmp_path / "log").read_text() == "began\ncancelled\n"
    assert time.monotonic() - began < LIMIT_SECONDS


STUBBORN = """#!/bin/sh
trap '' INT
@PYTHON -c 'import os, time; os.setpgid(0, 0); open("plugin", "w").write(str(os.getpid())); time.sleep(60)' &
while :; do sleep 0.05; done
"""


def test_one_that_does_not_stop_is_killed_with_its_plugins(
    session: PulumiProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They have process groups of their own; its session is theirs too."""
    monkeypatch.setattr(pulumi_process, "CANCEL_SECONDS", 0.5)
    script(tmp_path, STUBBORN.replace("@PYTHON", sys.executable))

    def called_off() -> None:
        if (tmp_path / "plugin").exists() and (tmp_path / "plugin").read_text():
            raise CalledOffError

    with session.meanwhile(called_off), pytest.raises(CalledOffError):
        session.run(["up"], str(tmp_path), {})
    plugin = int((tmp_path / "plugin").read_text())
    deadline = time.monotonic() + LIMIT_SECONDS
    while psutil.pid_exists(plugin) and psutil.Process(plugin).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, "the plugin lives on"
        time.sleep(0.05)


def test_a_terminal_reaches_it_not(session: PulumiProcess, tmp_path: Path) -> None:
    """Ctrl-C and a terminal that closes go to the sessions and groups of the terminal: it has its own."""
    script(tmp_path, "#!/bin/sh\nps -o sid=,pgid= -p $$\n")
    sid, pgid = map(int, session.run(["up"], str(tmp_path), {}).stdout.split())
    assert sid != os.getsid(0)
    assert pgid != os.getpgid(0)


def test_words_that_are_no_utf_8_end_nothing(session: PulumiProcess, tmp_path: Path) -> None:
    """They are shown as well as they can be."""
    script(tmp_path, "#!/bin/sh\nprintf 'a\\377b\\n'\n")
    assert session.run(["up"], str(tmp_path), {}).stdout == "a\ufffdb\n"


def test_what_it_said_comes_back(session: PulumiProcess, tmp_path: Path) -> None:
    """With and without a callback."""
    script(tmp_path, "#!/bin/sh\nsleep 0.7; echo done\n")
    ticks: list[float] = []
    assert session.run(["up"], str(tmp_path), {}).stdout == "done\n"
    with session.meanwhile(lambda: ticks.append(time.monotonic())):
        assert session.run(["up"], str(tmp_path), {}).stdout == "done\n"
    assert ticks
