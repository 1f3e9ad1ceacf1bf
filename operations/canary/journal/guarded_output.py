"""Keeps notes, output and replies from ending what they only tell of."""

from collections.abc import Callable
from typing import cast

from operations.canary.environment import Environment
from operations.canary.terminal.state import CanaryState


def shielded(environment: Environment) -> Environment:
    """Make of an environment one in which no note, no output and no reply to a command can fail."""
    return cast("Environment", _Shielded(environment))


class _Shielded:
    def __init__(self, environment: Environment) -> None:
        self._world = environment
        self._lacking = False

    def __getattr__(self, name: str) -> object:
        """All else is as it is."""
        return getattr(self._world, name)

    def note(self, event: str, **words: object) -> bool:
        """Keep something in the journal, if that can be written."""
        error = _tried(lambda: self._world.note(event, **words))
        if error and not self._lacking:
            self.report_line(f"the canary's journal cannot be written: {error}")
        self._lacking = bool(error)
        return not error

    def report_line(self, line: str) -> None:
        """Say something to whoever is there."""
        _tried(lambda: self._world.report_line(line))

    def show(self, state: CanaryState) -> None:
        """Show where things stand to whoever is there."""
        _tried(lambda: self._world.show(state))

    def reply(self, text: str, *, accepted: bool = True) -> None:
        """Answer a command, if its sender can be reached."""
        _tried(lambda: self._world.reply(text, accepted=accepted))


def _tried(work: Callable[[], object]) -> BaseException | None:
    try:
        work()
    except (Exception, SystemExit) as error:  # noqa: BLE001 (rich makes a SystemExit of a closed pipe)
        return error
    return None
