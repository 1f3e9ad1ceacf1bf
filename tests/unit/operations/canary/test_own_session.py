"""Pulumi as a canary runs it, with a stand-in in its place."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pulumi import automation as auto

from operations.canary.own_session import OwnSession
from operations.project import Project
from operations.warm.host import Hosts

CLEANS_UP = """#!/bin/sh
trap 'echo cancelled >> told; exit 255' INT
echo began >> told
while :; do sleep 0.05; done
"""
LIMIT_SECONDS = 10


class CalledOffError(Exception):
    """What somebody wants meanwhile."""


@pytest.fixture(autouse=True)
def _interruptible() -> Iterator[None]:
    """A shell has SIGINT ignored in the background, and a stand-in that inherits this could not catch it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OwnSession:
    """Runs the stand-in instead of pulumi."""
    monkeypatch.setattr(auto.PulumiCommand, "__init__", lambda _self: None)
    session = OwnSession(Hosts(Project(folder=tmp_path, settings={})))
    session.command = str(tmp_path / "pulumi")
    return session


def stand_in(folder: Path, script: str) -> None:
    """Put a script in pulumi's place."""
    (folder / "pulumi").write_text(script)
    (folder / "pulumi").chmod(0o700)


def test_it_is_asked_to_stop_and_waited_for(session: OwnSession, tmp_path: Path) -> None:
    """By a signal that it cleans up after; what was raised meanwhile goes on its way then."""
    stand_in(tmp_path, CLEANS_UP)
    began = time.monotonic()

    def called_off() -> None:
        if (tmp_path / "told").exists():
            raise CalledOffError

    with session.meanwhile(called_off), pytest.raises(CalledOffError):
        session.run(["up"], str(tmp_path), {})
    assert (tmp_path / "told").read_text() == "began\ncancelled\n"
    assert time.monotonic() - began < LIMIT_SECONDS


def test_what_it_said_comes_back(session: OwnSession, tmp_path: Path) -> None:
    """Whether somebody is heard meanwhile or not."""
    stand_in(tmp_path, "#!/bin/sh\nsleep 0.7; echo done\n")
    heard: list[float] = []
    assert session.run(["up"], str(tmp_path), {}).stdout == "done\n"
    with session.meanwhile(lambda: heard.append(time.monotonic())):
        assert session.run(["up"], str(tmp_path), {}).stdout == "done\n"
    assert heard
