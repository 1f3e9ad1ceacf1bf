"""Commands of other terminals for the canary that runs, each with an identity and an answer of its own.

A command is an empty file whose name is its identity and what it asks for. Every move from one state to the
next is one rename, which the file system does whole or not at all and which needs no free space:

    ID.abort → ID.taken → ID.accepted or ID.refused

Taken by the canary or withdrawn by its sender, a command has one end, and its sender knows which.
"""

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final


class Command(StrEnum):
    """What a person can ask of a running canary."""

    pause = "pause"
    resume = "resume"
    promote = "promote"
    abort = "abort"


@dataclass(frozen=True, kw_only=True)
class PendingCommand:
    """A wish that the canary has taken and has to answer."""

    identity: str
    command: Command


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the canary answered to one command."""

    accepted: bool
    text: str
    """What happens now, or why nothing does."""


TAKEN: Final = "taken"
ACCEPTED: Final = "accepted"
REFUSED: Final = "refused"
OUTRANKED: Final = "--abort was requested too, and outranks it"
OLD_SECONDS: Final = 3600.0
"""After which an answer is deleted that its sender did not read: it was killed."""


@dataclass(frozen=True, kw_only=True)
class Inbox:
    """The folder with the commands of one stack."""

    folder: Path

    def send(self, command: Command) -> str:
        """Send a command; returns its identity."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        identity = f"{time.time_ns():020d}-{os.getpid()}-{secrets.token_hex(4)}"
        os.close(os.open(self._file(identity, command), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        return identity

    def withdraw(self, identity: str) -> bool:
        """Take a command back; False where the canary has taken it."""
        for command in Command:
            with suppress(FileNotFoundError):
                self._file(identity, command).unlink()
                return True
        return False

    def answer_to(self, identity: str) -> Answer | None:
        """Read the answer to a command, once; None where there is none yet."""
        for state in (ACCEPTED, REFUSED):
            with suppress(FileNotFoundError):
                file = self._file(identity, state)
                text = file.read_text(encoding="utf-8", errors="replace")
                file.unlink()
                return Answer(accepted=state == ACCEPTED, text=text or state)
        return None

    def take(self) -> PendingCommand | None:
        """Take the next command: an abort before any other, and then no other is left; else the oldest."""
        waiting = list(self._waiting())
        aborts = [each for each in waiting if each.command is Command.abort]
        for each in aborts or waiting:
            if self._taken(each):
                if aborts:
                    self.refuse_all(OUTRANKED, but=Command.abort)
                return each
        return None

    def answer(self, command: PendingCommand, answer: Answer) -> None:
        """Answer a command that was taken. The text is lost on a full disk, the answer is not."""
        taken = self._file(command.identity, TAKEN)
        with suppress(OSError):
            taken.write_text(answer.text, encoding="utf-8", errors="replace")
        taken.rename(self._file(command.identity, ACCEPTED if answer.accepted else REFUSED))

    def refuse_all(self, why: str, but: Command | None = None) -> None:
        """Refuse every command that waits."""
        for each in self._waiting():
            if each.command is not but and self._taken(each):
                self.answer(each, Answer(accepted=False, text=why))

    def clear(self, why: str) -> None:
        """Refuse what was meant for an earlier canary, and delete answers that no sender waits for."""
        self.refuse_all(why)
        for file in self._files():
            with suppress(FileNotFoundError):
                if time.time() - file.stat().st_mtime > OLD_SECONDS:
                    file.unlink()

    def _taken(self, command: PendingCommand) -> bool:
        try:
            waiting = self._file(command.identity, command.command)
            waiting.rename(self._file(command.identity, TAKEN))
        except FileNotFoundError:  # withdrawn meanwhile
            return False
        return True

    def _waiting(self) -> Iterator[PendingCommand]:
        """List the commands that wait, oldest first."""
        for file in self._files():
            if (command := file.suffix.removeprefix(".")) in set(Command):
                yield PendingCommand(identity=file.stem, command=Command(command))

    def _files(self) -> list[Path]:
        with suppress(FileNotFoundError):
            return sorted(self.folder.iterdir())
        return []

    def _file(self, identity: str, state: str) -> Path:
        return self.folder / f"{identity}.{state}"
