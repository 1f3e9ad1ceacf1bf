"""An environment whose notes, output and replies cannot end the canary when they fail."""

from collections.abc import Callable
from typing import cast

from operations.canary.environment import Environment
from operations.canary.terminal.state import CanaryState


def shielded(environment: Environment) -> Environment:
    """Wrap an environment so that no note, output or reply raises an error."""
    return cast("Environment", _Shielded(environment))


class _Shielded:
    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._lacking = False

    def __getattr__(self, name: str) -> object:
        """Delegate everything else."""
        return getattr(self._environment, name)

    def note(self, event: str, **words: object) -> bool:
        """Write an entry to the journal, if possible."""
        error = _tried(lambda: self._environment.note(event, **words))
        if error and not self._lacking:
            self.report_line(f"the canary's journal cannot be written: {error}")
        self._lacking = bool(error)
        return not error

    def report_line(self, line: str) -> None:
        """Print a line, if possible."""
        _tried(lambda: self._environment.report_line(line))

    def show(self, state: CanaryState) -> None:
        """Show the state, if possible."""
        _tried(lambda: self._environment.show(state))

    def reply(self, text: str, *, accepted: bool = True) -> None:
        """Answer a command, if possible."""
        _tried(lambda: self._environment.reply(text, accepted=accepted))


def _tried(work: Callable[[], object]) -> BaseException | None:
    try:
        work()
    except (Exception, SystemExit) as error:  # noqa: BLE001 (rich raises SystemExit for a closed pipe)
        return error
    return None
