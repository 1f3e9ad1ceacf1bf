"""Keeps notes, output and replies from ending what they only tell of."""

from collections.abc import Callable
from typing import cast

from operations.canary.environment import World
from operations.canary.terminal.state import Scene


def shielded(world: World) -> World:
    """Make of a world one in which no note, no output and no reply to a command can fail."""
    return cast("World", _Shielded(world))


class _Shielded:
    def __init__(self, world: World) -> None:
        self._world = world
        self._lacking = False

    def __getattr__(self, name: str) -> object:
        """All else is as it is."""
        return getattr(self._world, name)

    def note(self, event: str, **words: object) -> bool:
        """Keep something in the journal, if that can be written."""
        error = _tried(lambda: self._world.note(event, **words))
        if error and not self._lacking:
            self.tell(f"the canary's journal cannot be written: {error}")
        self._lacking = bool(error)
        return not error

    def tell(self, line: str) -> None:
        """Say something to whoever is there."""
        _tried(lambda: self._world.tell(line))

    def show(self, scene: Scene) -> None:
        """Show where things stand to whoever is there."""
        _tried(lambda: self._world.show(scene))

    def reply(self, text: str, *, accepted: bool = True) -> None:
        """Answer a command, if its sender can be reached."""
        _tried(lambda: self._world.reply(text, accepted=accepted))


def _tried(work: Callable[[], object]) -> BaseException | None:
    try:
        work()
    except (Exception, SystemExit) as error:  # noqa: BLE001 (rich makes a SystemExit of a closed pipe)
        return error
    return None
