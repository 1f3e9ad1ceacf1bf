"""Ctrl-C: asks what to do; a second one holds."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Literal

from operations.canary.view import View


class Interrupts:
    """Notes signals, for a moment that is good to ask."""

    def __init__(self) -> None:
        self._count = 0
        self._ended = False

    @contextmanager
    def caught(self) -> Iterator[None]:
        """Note Ctrl-C and the request to end instead of stopping in the middle of something."""
        before = {each: signal.signal(each, self._note) for each in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)

    def answer(self, view: View) -> Literal["hold", "back"] | None:
        """Say what to do, if anything was pressed: ask once, and hold where nobody can be asked."""
        if self._ended or self._count > 1:
            return "hold"
        if not self._count:
            return None
        # From here on, Ctrl-C is an answer.
        handler = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            said = view.ask("Ctrl-C: [h]old the weights as they are, go [b]ack, or [c]ontinue?", "hbc")
        except KeyboardInterrupt:
            said = "h"
        finally:
            signal.signal(signal.SIGINT, handler)
        self._count = 0
        answers: dict[str, Literal["back"] | None] = {"b": "back", "c": None}
        return answers.get(said, "hold")

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._count += number == signal.SIGINT
        self._ended |= number == signal.SIGTERM
