"""Commands of other terminals: none is lost, and each has an answer of its own."""

import errno
from pathlib import Path
from threading import Thread

import pytest

from operations.canary.journal.inbox import OUTRANKED, Answer, Command, Inbox


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    """The commands of one stack."""
    return Inbox(folder=tmp_path / "commands")


def taken(inbox: Inbox) -> Command | None:
    """Take the next command and accept it."""
    command = inbox.take()
    if command is None:
        return None
    inbox.answer(command, Answer(accepted=True, text=f"{command.command} is done"))
    return command.command


def test_nothing_is_asked_for(inbox: Inbox) -> None:
    """Also where nobody ever asked."""
    assert inbox.take() is None
    inbox.refuse_all("over")
    inbox.clear("over")


def test_each_command_has_its_own_answer(inbox: Inbox) -> None:
    """In the order in which they came; no later one takes the place of an earlier one."""
    first, second = inbox.send(Command.pause), inbox.send(Command.promote)
    assert inbox.answer_to(first) is None
    assert [taken(inbox), taken(inbox), taken(inbox)] == [Command.pause, Command.promote, None]
    assert inbox.answer_to(second) == Answer(accepted=True, text="promote is done")
    assert inbox.answer_to(first) == Answer(accepted=True, text="pause is done")
    assert list(inbox.folder.iterdir()) == []


@pytest.mark.parametrize("order", [[Command.abort, Command.pause], [Command.pause, Command.abort]])
def test_abort_outranks_the_others(inbox: Inbox, order: list[Command]) -> None:
    """Whichever came first; the other one is refused, and its sender knows why."""
    identities = {command: inbox.send(command) for command in order}
    assert taken(inbox) is Command.abort
    assert taken(inbox) is None
    assert inbox.answer_to(identities[Command.pause]) == Answer(accepted=False, text=OUTRANKED)
    assert inbox.answer_to(identities[Command.abort]) == Answer(accepted=True, text="abort is done")


def test_two_aborts_are_both_answered(inbox: Inbox) -> None:
    """The second one is no less an abort."""
    both = [inbox.send(Command.abort), inbox.send(Command.abort)]
    assert [taken(inbox), taken(inbox)] == [Command.abort, Command.abort]
    assert all(inbox.answer_to(each) for each in both)


def test_a_command_is_taken_or_withdrawn_never_both(inbox: Inbox) -> None:
    """However close the two come."""
    for _ in range(200):
        identity = inbox.send(Command.abort)
        withdrawn: list[bool] = []
        other = Thread(target=lambda it=identity, to=withdrawn: to.append(inbox.withdraw(it)))
        other.start()
        command = taken(inbox)
        other.join()
        assert (command is None) == withdrawn[0]
        assert (inbox.answer_to(identity) is None) == withdrawn[0]


def test_a_full_disk_keeps_nobody_from_an_answer(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The words are lost, and nothing else."""

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    identity = inbox.send(Command.abort)
    monkeypatch.setattr(Path, "write_text", full)
    assert taken(inbox) is Command.abort
    assert inbox.answer_to(identity) == Answer(accepted=True, text="accepted")


def test_a_file_of_anything_else_is_left_alone(inbox: Inbox) -> None:
    """It is no command."""
    inbox.send(Command.pause)
    (inbox.folder / "notes.txt").write_text("")
    assert [taken(inbox), taken(inbox)] == [Command.pause, None]
