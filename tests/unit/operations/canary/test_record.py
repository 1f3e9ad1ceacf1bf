"""What is kept of a canary outside git."""

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from operations.canary.record import Record, Wish, last
from operations.errors import OperationError
from tests.unit.operations.projects import CHECKOUT

HOLD = """
import sys, time
from pathlib import Path
from operations.canary.record import Record
with Record(folder=Path(sys.argv[1])).locked():
    print("locked", flush=True)
    time.sleep(60)
"""


def test_each_stack_of_each_backend_has_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Under the user's state folder, whatever the stack is called."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    one = Record.of("file:///a", "mesh-app", "org/../prod")
    assert one.folder.is_relative_to(tmp_path / "mesh-app/canary")
    assert one.folder.resolve() == one.folder
    assert one != Record.of("file:///b", "mesh-app", "org/../prod")


def test_two_canaries_on_one_stack_are_refused_and_a_killed_one_holds_no_lock(tmp_path: Path) -> None:
    """Whoever has it is named by process; kill -9 gives it back."""
    record = Record(folder=tmp_path)
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True
    )
    with other:
        assert other.stdout
        assert other.stdout.readline() == "locked\n"
        assert record.runs
        with pytest.raises(OperationError, match=f"process {other.pid}"), record.locked():
            pass
        os.kill(other.pid, signal.SIGKILL)
    assert not record.runs
    with record.locked():
        assert record.runs


def test_the_journal_survives_a_line_cut_in_two(tmp_path: Path) -> None:
    """What was whole is read."""
    record = Record(folder=tmp_path)
    assert record.entries() == []
    record.note("begin", to="v2")
    record.note("step", step=0)
    record.note("step", step=1)
    with (tmp_path / "journal.jsonl").open("a") as journal:
        journal.write('{"event": "st')
    assert [each["event"] for each in record.entries()] == ["begin", "step", "step"]
    assert last(record.entries(), "step")["step"] == 1
    assert last(record.entries(), "end") == {}


def test_files_are_their_owners_alone(tmp_path: Path) -> None:
    """Nobody else reads or asks."""
    record = Record(folder=tmp_path / "new")
    with record.locked():
        record.note("begin")
        record.ask(Wish.pause)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in record.folder.iterdir()}
    assert modes == {"lock": 0o600, "journal.jsonl": 0o600, "wish": 0o600}
    assert stat.S_IMODE(record.folder.stat().st_mode) == 0o700


def test_a_wish_is_taken_once(tmp_path: Path) -> None:
    """The last one counts."""
    record = Record(folder=tmp_path)
    record.ask(Wish.pause)
    record.ask(Wish.abort)
    assert record.wished
    assert record.take() is Wish.abort
    assert record.take() is None


def test_a_wish_is_for_the_canary_that_runs(tmp_path: Path) -> None:
    """Also while it only shows its plan; what an earlier one did not hear is not for the next."""
    record = Record(folder=tmp_path)
    record.ask(Wish.promote)
    with record.locked():
        assert not record.wished
        record.ask(Wish.abort)
        record.begin()
        assert record.take() is Wish.abort


def test_the_journal_is_json_lines(tmp_path: Path) -> None:
    """For whoever wants to read it with other tools."""
    record = Record(folder=tmp_path)
    record.note("back", why="größer als 1 %")
    (line,) = (tmp_path / "journal.jsonl").read_text().splitlines()
    assert json.loads(line)["why"] == "größer als 1 %"
