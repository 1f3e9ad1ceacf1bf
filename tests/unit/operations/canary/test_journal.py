"""What is kept of a canary outside git."""

import errno
import fcntl
import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from threading import Timer

import pytest

from operations.canary.journal.inbox import Answer, Command
from operations.canary.journal.journal import Journal, last
from operations.errors import OperationError
from tests.unit.operations.projects import CHECKOUT

HOLD = """
import sys, time
from pathlib import Path
from operations.canary.journal.journal import Journal
with Journal(folder=Path(sys.argv[1])).locked():
    print("locked", flush=True)
    time.sleep(60)
"""


def test_each_stack_of_each_backend_has_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Under the user's state folder, whatever the stack is called."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    one = Journal.of("file:///a", "mesh-app", "org/../prod")
    assert one.folder.is_relative_to(tmp_path / "mesh-app/canary")
    assert one.folder.resolve() == one.folder
    assert one != Journal.of("file:///b", "mesh-app", "org/../prod")


def test_two_canaries_on_one_stack_are_refused_and_a_killed_one_holds_no_lock(tmp_path: Path) -> None:
    """Whoever has it is named by process; kill -9 gives it back."""
    record = Journal(folder=tmp_path)
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


def test_the_process_that_is_named_is_the_one_that_runs(tmp_path: Path) -> None:
    """Not one with digits left of a longer number that was there before."""
    record = Journal(folder=tmp_path)
    (tmp_path / "lock").write_text("123456789123456789")
    with record.locked():
        assert (tmp_path / "lock").read_text() == str(os.getpid())


def test_status_keeps_no_canary_from_starting(tmp_path: Path) -> None:
    """It holds the lock for a moment to see whether it is free; a canary waits for longer than that."""
    record = Journal(folder=tmp_path)
    with record.locked():
        pass
    with (tmp_path / "lock").open() as status:
        fcntl.flock(status, fcntl.LOCK_SH)
        Timer(0.3, lambda: fcntl.flock(status, fcntl.LOCK_UN)).start()
        with record.locked():
            assert record.runs


def test_a_full_disk_keeps_nobody_from_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--abort needs it, and no room."""
    monkeypatch.setattr(os, "pwrite", full)
    with Journal(folder=tmp_path).locked():
        pass


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """Before anything is done, with what to do."""
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(OperationError, match="journal cannot be written"),
        Journal(folder=tmp_path / "file/none").locked(),
    ):
        pass


def test_the_journal_survives_a_line_cut_in_two(tmp_path: Path) -> None:
    """What was whole is read, before and after it; what was not is counted."""
    record = Journal(folder=tmp_path)
    assert record.entries() == []
    record.note("begin", to="v2")
    record.note("step", step=0)
    record.note("step", step=1)
    with (tmp_path / "journal.jsonl").open("a") as journal:
        journal.write('{"event": "st')
    assert [each["event"] for each in record.entries()] == ["begin", "step", "step"]
    assert last(record.entries(), "step")["step"] == 1
    assert last(record.entries(), "end") == {}
    assert record.unreadable == 1
    record.note("step", step=2)
    assert last(record.entries(), "step")["step"] == 2
    assert record.unreadable == 1


@pytest.mark.parametrize(
    "line", ["[]", "7", "{}", '{"event": 1, "time": 2}', '{"event": "step"}', "[" * 9999]
)
def test_a_line_that_is_no_entry_is_left_out(tmp_path: Path, line: str) -> None:
    """Whatever it is."""
    record = Journal(folder=tmp_path)
    (tmp_path / "journal.jsonl").write_text(f"{line}\n")
    assert (record.entries(), record.unreadable) == ([], 1)


def full(*_: object) -> int:
    """A disk without room."""
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_note_is_written_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk may take a part of it, and say so by a number only."""
    write = os.write
    monkeypatch.setattr(os, "write", lambda handle, text: write(handle, text[:7]))
    record = Journal(folder=tmp_path)
    record.note("begin", to="v2")
    record.note("step", step=0)
    assert [each["event"] for each in record.entries()] == ["begin", "step"]


def test_a_full_disk_loses_no_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes a part of one, then nothing; with room again, all of it comes, and nothing is spoilt."""
    record = Journal(folder=tmp_path)
    record.note("begin", to="v2")
    write, room = os.write, [9]

    def nearly_full(handle: int, text: bytes) -> int:
        return write(handle, text[: room.pop()]) if room else full()

    with monkeypatch.context() as disk:
        disk.setattr(os, "write", nearly_full)
        for step in range(2):
            with pytest.raises(OSError, match="No space left"):
                record.note("step", step=step)
    assert [each["event"] for each in record.entries()] == ["begin", "step", "step"]
    record.note("end")
    events = [each["event"] for each in Journal(folder=tmp_path).entries()]
    assert events == ["begin", "step", "step", "end"]
    assert record.unreadable == 0


def test_a_note_is_on_disk_before_anything_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that goes down a moment later has it."""
    synced: list[str] = []
    path = tmp_path / "journal.jsonl"
    monkeypatch.setattr(os, "fsync", lambda _handle: synced.append(path.read_text()))
    Journal(folder=tmp_path).note("step", step=0)
    assert synced == [path.read_text()]


def test_a_journal_that_cannot_begin_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is done."""
    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OperationError, match="No space left on device; nothing was changed"):
        Journal(folder=tmp_path).begin(to="v2")


def test_files_are_their_owners_alone(tmp_path: Path) -> None:
    """Nobody else reads or asks."""
    record = Journal(folder=tmp_path / "new")
    with record.locked():
        record.note("begin")
        record.inbox.send(Command.pause)
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in record.folder.iterdir()}
        (command,) = record.inbox.folder.iterdir()
    assert modes == {"lock": 0o600, "journal.jsonl": 0o600, "commands": 0o700}
    assert stat.S_IMODE(record.folder.stat().st_mode) == 0o700
    assert not command.exists()


def test_a_command_is_for_the_canary_that_runs(tmp_path: Path) -> None:
    """Also while it only shows its plan; what an earlier one did not hear is refused."""
    record = Journal(folder=tmp_path)
    early = record.inbox.send(Command.promote)
    with record.locked():
        assert record.inbox.answer_to(early) == Answer(
            accepted=False, text="it was sent to a canary that has ended"
        )
        record.inbox.send(Command.abort)
        record.begin()
        taken = record.inbox.take()
        assert taken
        assert taken.command is Command.abort
        late = record.inbox.send(Command.pause)
    answer = record.inbox.answer_to(late)
    assert answer
    assert (answer.accepted, "has ended" in answer.text) == (False, True)


def test_a_second_canary_refuses_nothing_of_the_first(tmp_path: Path) -> None:
    """It is refused itself, and leaves the commands alone."""
    record = Journal(folder=tmp_path)
    with record.locked():
        identity = record.inbox.send(Command.pause)
        with pytest.raises(OperationError, match="runs already"), record.locked():
            pass
        assert record.inbox.answer_to(identity) is None


def test_the_journal_is_json_lines(tmp_path: Path) -> None:
    """For whoever wants to read it with other tools."""
    record = Journal(folder=tmp_path)
    record.note("back", why="größer als 1 %")
    (line,) = (tmp_path / "journal.jsonl").read_text().splitlines()
    assert json.loads(line)["why"] == "größer als 1 %"
