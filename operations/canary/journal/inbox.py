"""Commands of other terminals for the running canary, each with its own identity and answer.

A command is an empty file named by its identity and the command. Each change of its state is one rename,
which is atomic and needs no free space:

    ID.abort → ID.taken → ID.accepted or ID.refused

A command is either taken by the canary or withdrawn by its sender, never both.
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
    """A command for a running canary."""

    pause = "pause"
    resume = "resume"
    promote = "promote"
    abort = "abort"


@dataclass(frozen=True, kw_only=True)
class PendingCommand:
    """A command that the canary has taken and has to answer."""

    identity: str
    command: Command


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The canary's answer to one command."""

    accepted: bool
    text: str
    """What happens now, or why the command is refused."""


TAKEN: Final = "taken"
ACCEPTED: Final = "accepted"
REFUSED: Final = "refused"
OUTRANKED: Final = "--abort was requested too, and outranks it"
OLD_SECONDS: Final = 3600.0
"""The age at which an unread answer is deleted: its sender was killed."""


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
        """Withdraw a command; False if the canary has taken it."""
        for command in Command:
            with suppress(FileNotFoundError):
                self._file(identity, command).unlink()
                return True
        return False

    def answer_to(self, identity: str) -> Answer | None:
        """Read the answer to a command, once; None if there is none yet."""
        for state in (ACCEPTED, REFUSED):
            with suppress(FileNotFoundError):
                file = self._file(identity, state)
                text = file.read_text(encoding="utf-8", errors="replace")
                file.unlink()
                return Answer(accepted=state == ACCEPTED, text=text or state)
        return None

    def take(self) -> PendingCommand | None:
        """Take the next command: an abort first, which refuses all others; otherwise the oldest."""
        waiting = list(self._waiting())
        aborts = [each for each in waiting if each.command is Command.abort]
        for each in aborts or waiting:
            if self._taken(each):
                if aborts:
                    self.refuse_all(OUTRANKED, but=Command.abort)
                return each
        return None

    def answer(self, command: PendingCommand, answer: Answer) -> None:
        """Answer a command that was taken. On a full disk the answer has no text."""
        taken = self._file(command.identity, TAKEN)
        with suppress(OSError):
            taken.write_text(answer.text, encoding="utf-8", errors="replace")
        taken.rename(self._file(command.identity, ACCEPTED if answer.accepted else REFUSED))

    def refuse_all(self, why: str, but: Command | None = None) -> None:
        """Refuse every waiting command."""
        for each in self._waiting():
            if each.command is not but and self._taken(each):
                self.answer(each, Answer(accepted=False, text=why))

    def clear(self, why: str) -> None:
        """Refuse commands to an earlier canary, and delete unread answers."""
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
        """List the waiting commands, oldest first."""
        for file in self._files():
            if (command := file.suffix.removeprefix(".")) in set(Command):
                yield PendingCommand(identity=file.stem, command=Command(command))

    def _files(self) -> list[Path]:
        with suppress(FileNotFoundError):
            return sorted(self.folder.iterdir())
        return []

    def _file(self, identity: str, state: str) -> Path:
        return self.folder / f"{identity}.{state}"
