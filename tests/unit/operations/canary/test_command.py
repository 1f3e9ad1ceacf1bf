"""`python -m operations canary`: commands for a canary that runs, and one that goes on without its file."""

import io
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread, Timer
from typing import Any

import pytest
from rich.console import Console

from operations.canary import command as canary_command
from operations.canary.command import Request
from operations.canary.journal.inbox import Answer, Command
from operations.canary.journal.journal import Journal
from operations.canary.journal.run import Canary
from operations.canary.stack_file.deployed_copy import DeployedCopy
from operations.canary.terminal.view import View
from operations.errors import OperationError
from operations.pulumi_stack.program import Declared
from operations.pulumi_stack.project import Project
from operations.pulumi_stack.services import MeshService
from tests.unit.operations.projects import project
from tests.unit.stacks import WALKTHROUGH

SERVICE = MeshService(
    name="springbootapp",
    namespace="springistiodemo",
    weights={"v1": 90, "v2": 10},
    deployments={"v1": "v1", "v2": "v2"},
    hosts={"springbootapp": None},
)
QUIET = Console(file=io.StringIO())


@pytest.fixture
def record(tmp_path: Path) -> Journal:
    """Of one stack."""
    return Journal(folder=tmp_path / "record")


@pytest.fixture
def running(record: Journal) -> Iterator[Event]:
    """A canary that runs until the event, and answers nothing."""
    locked, over = Event(), Event()

    def run() -> None:
        with record.locked():
            locked.set()
            over.wait(60)

    thread = Thread(target=run)
    thread.start()
    assert locked.wait(60)
    yield over
    over.set()
    thread.join()


def answered(record: Journal, answer: Answer, before: float = 0.0) -> Thread:
    """Answer the next command, as a canary does between two looks."""

    def listen() -> None:
        time.sleep(before)
        while (taken := record.inbox.take()) is None:
            time.sleep(0.01)
        record.inbox.answer(taken, answer)

    thread = Thread(target=listen)
    thread.start()
    return thread


def ask(record: Journal, command: Command) -> tuple[int, str]:
    """Send a command; returns exit code and what is printed."""
    console = Console(file=io.StringIO(), width=200)
    code = canary_command._ask(record, command, "prod", console)  # noqa: SLF001 (what the command line runs)
    assert isinstance(console.file, io.StringIO)
    return code, console.file.getvalue()


def test_who_asks_waits_for_the_answer(record: Journal, running: Event) -> None:
    """Exit code 0, and what happens now."""
    assert not running.is_set()
    listening = answered(record, Answer(accepted=True, text="v2 loses its traffic"), before=0.3)
    assert ask(record, Command.abort) == (0, "abort accepted: v2 loses its traffic\n")
    listening.join()


def test_a_refused_command_is_told_with_its_reason(record: Journal, running: Event) -> None:
    """And an exit code that is not 0."""
    assert not running.is_set()
    listening = answered(record, Answer(accepted=False, text="the canary is not paused"))
    with pytest.raises(OperationError, match="--resume was refused: the canary is not paused"):
        ask(record, Command.resume)
    listening.join()


def test_a_canary_that_ends_answers_what_it_did_not_hear(record: Journal, running: Event) -> None:
    """Nobody waits for one that has ended."""
    Timer(0.5, running.set).start()
    with pytest.raises(OperationError, match="--abort was refused: the canary has ended"):
        ask(record, Command.abort)


def test_a_killed_canary_answers_nothing(record: Journal) -> None:
    """That is told; the command is withdrawn, so that the next canary does not take it."""
    with pytest.raises(OperationError, match="--abort was withdrawn: the canary has ended"):
        ask(record, Command.abort)
    assert record.inbox.take() is None


def test_a_command_without_an_answer_is_withdrawn(
    record: Journal, running: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was given up on is not done later."""
    assert not running.is_set()
    monkeypatch.setattr(canary_command, "ANSWER_SECONDS", 0.3)
    with pytest.raises(OperationError, match="--pause was withdrawn: the canary runs and has not answered"):
        ask(record, Command.pause)
    assert record.inbox.take() is None


@pytest.fixture
def stopped(record: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A canary at its first step that was killed; the state is in order."""
    folder = tmp_path / "project"
    folder.mkdir()
    own = project(folder, "dev", {**WALKTHROUGH, "mesh-app:weights": {"v1": 90, "v2": 10}})

    def learnt(one: Project, stack: str) -> Declared:
        """Read the file as the program would, in no time."""
        return Declared(resources=(), outputs=one.config(stack).values)

    def services(declared: Declared) -> list[MeshService]:
        weights = json.loads(declared.outputs["mesh-app:weights"])
        return [replace(SERVICE, weights=weights, deployments={each: each for each in weights})]

    monkeypatch.setattr(canary_command, "settle", lambda *_: None)
    monkeypatch.setattr(canary_command, "learn", learnt)
    monkeypatch.setattr(canary_command, "services_of", services)
    one = Canary(
        service=SERVICE, to="v2", declared={}, before={"v1": 100, "v2": 0}, divided=True, brought=False
    )
    record.folder.mkdir()
    one.note(record, 0)
    record.note("step", step=0, description="10 %")
    DeployedCopy(project=own, stack="dev", service=SERVICE.name, folder=record.folder).begin()
    return own


def unfinished(own: Project, record: Journal, command: Command) -> tuple[Project, Any, Canary]:
    """Read it again, as another process does."""
    request = Request(stack="dev", command=command)
    return canary_command._unfinished(own, request, record, View(QUIET))  # noqa: SLF001 (what the command line runs)


@pytest.mark.parametrize("spoil", ["conflict", "delete"])
def test_abort_needs_no_stack_file(stopped: Project, record: Journal, spoil: str) -> None:
    """Where it cannot be read any more, the canary's copy does; to go on forward, the file is needed."""
    file = stopped.stack_file("dev")
    if spoil == "delete":
        file.unlink()
    else:
        file.write_text(f"<<<<<<< HEAD\n{file.read_text()}")
    own, _, one = unfinished(stopped, record, Command.abort)
    assert own.drafts
    assert one.before == {"v1": 100, "v2": 0}
    with pytest.raises(OperationError, match=r"Pulumi\.dev\.yaml"):
        unfinished(stopped, record, Command.resume)
    record.note("back", outcome="rolled_back", why="bad")
    assert unfinished(stopped, record, Command.resume)[2].rolling_back


def test_abort_takes_the_file_while_it_is_good(stopped: Project, record: Journal) -> None:
    """The file is what the stack is; and the new version need not be declared in it any more."""
    assert unfinished(stopped, record, Command.abort)[0].drafts == {}
    file = stopped.stack_file("dev")
    file.write_text(file.read_text().replace("v2", "v3"))
    assert unfinished(stopped, record, Command.abort)[0].drafts == {}


def test_a_journal_without_its_beginning_is_told(stopped: Project, record: Journal) -> None:
    """Nobody knows then where to go back to; what can be read is shown by --status."""
    journal = record.folder / "journal.jsonl"
    journal.write_text("\n".join(["{cut", *journal.read_text().splitlines()[1:], ""]))
    with pytest.raises(OperationError, match="first line of the canary's journal"):
        unfinished(stopped, record, Command.abort)
