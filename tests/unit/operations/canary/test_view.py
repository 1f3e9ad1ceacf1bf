"""Output that is gone, or that nobody reads, keeps a canary from nothing."""

import io
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from threading import Thread

import pytest
from rich.console import Console

from operations.canary.terminal import view as view_module
from operations.canary.terminal.state import CanaryState
from operations.canary.terminal.view import View
from tests.unit.operations.projects import CHECKOUT

STATE = CanaryState(to="v2", step=1, steps=2, phase="analysis", weights={"v1": 90, "v2": 10})
INTO_A_CLOSED_PIPE = """
import sys
from rich.console import Console
from operations.canary.terminal.view import View
view = View(Console())
with view.open():
    for nth in range(50):
        view.report_line(f"line {nth}")
view.report_line("it is over")
sys.exit(3 if view.lost else 4)
"""


@pytest.fixture
def pipe() -> Iterator[tuple[int, Console]]:
    """A console whose lines go into a pipe, and the other end of that."""
    own, theirs = os.pipe()
    with os.fdopen(theirs, "w") as output:
        yield own, Console(file=output)


def test_a_pipe_that_is_closed_ends_nothing() -> None:
    """As by `| head -1`: what follows is written to nowhere, and the exit code is the canary's own."""
    with subprocess.Popen(
        [sys.executable, "-c", INTO_A_CLOSED_PIPE],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as canary:
        assert canary.stdout
        canary.stdout.close()
        assert canary.stderr
        assert canary.stderr.read() == ""
    assert canary.returncode == 3


def test_a_pipe_that_nobody_reads_holds_nothing_up(pipe: tuple[int, Console]) -> None:
    """As with Ctrl-S, or a pager: the lines come when somebody reads them, all of them and in order."""
    own, console = pipe
    view, began = View(console), time.monotonic()
    with view.open():
        for nth in range(3000):
            view.report_line(f"line {nth} {'x' * 100}")
            view.show(STATE)
        assert time.monotonic() - began < 30
        read: list[bytes] = []
        reader = Thread(target=lambda: read.extend(iter(lambda: os.read(own, 1 << 16), b"")))
        reader.start()
    console.file.close()
    reader.join()
    lines = [each for each in b"".join(read).decode().splitlines() if " line " in each]
    assert [int(each.split()[2]) for each in lines] == list(range(3000))


def test_a_letter_that_cannot_be_written_is_left_out() -> None:
    """A terminal that knows no such letters is still there."""
    output = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    view = View(Console(file=output))
    view.report_line("v1 90 · v2 10")
    view.report_line("promoted")
    output.seek(0)
    assert [each.split()[1] for each in output.read().splitlines()] == ["v1", "promoted"]
    assert view.lost is None


def test_nobody_is_asked_without_a_terminal() -> None:
    """The first answer is taken."""
    view = View(Console(file=io.StringIO()))
    with view.open():
        assert view.ask("hold?", "hbc") == "h"


def test_a_question_that_nobody_answers_is_over_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The canary continues: while the question stands, nobody watches the new version."""
    monkeypatch.setattr(view_module, "ASK_SECONDS", 0.3)
    own, theirs = os.pipe()
    with os.fdopen(own) as keyboard, os.fdopen(theirs, "w") as person:
        monkeypatch.setattr(sys, "stdin", keyboard)
        view = View(Console(file=io.StringIO(), force_terminal=True))
        with view.open():
            assert view.ask("hold?", "hbc") == "c"
            monkeypatch.setattr(view_module, "ASK_SECONDS", 20)
            person.write("b\n")
            person.flush()
            assert view.ask("hold?", "hbc") == "b"
