"""Signals: Ctrl-C asks what to do, and a second one holds; those that end a process have everybody back."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, Literal

from operations.canary.terminal.view import View

ENDING: Final = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
"""Asked to end, a terminal that was closed, Ctrl-\\: nobody is there to be asked, or would watch."""
SUSPENDING: Final = signal.SIGTSTP
"""Ctrl-Z: a canary that is stopped watches nothing."""


class _AgainError(Exception):
    """A signal in answer to the question."""


class Interrupts:
    """Notes signals, for a moment that is good to ask."""

    def __init__(self) -> None:
        self._count = 0
        self._ended = False
        self._suspended = False
        self._asking = False

    @contextmanager
    def caught(self) -> Iterator[None]:
        """Note signals instead of ending in the middle of something; `nohup` stays what it is."""
        before = {
            each: handler
            for each in (signal.SIGINT, SUSPENDING, *ENDING)
            if (handler := signal.getsignal(each)) is not signal.SIG_IGN or each == signal.SIGINT
        }
        for each in before:
            signal.signal(each, self._note)
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)

    def answer(self, view: View) -> Literal["hold", "back"] | None:
        """Say what to do, if anything was pressed: ask once, and hold where nobody can be asked.

        Where nobody can be told either, everybody goes back: a version that is held is nobody's then.
        """
        if self._suspended:
            self._suspended = False
            view.report_line("Ctrl-Z would leave the new version unwatched; from another terminal: --pause")
        if self._ended:
            return "back"
        if not self._count:
            return None
        if view.lost:
            return "back"
        if self._count > 1:
            return "hold"
        try:
            reply = self._asked(view)
        except _AgainError:
            reply = "h"
        self._count = 0
        if self._ended or view.lost:
            return "back"
        answers: dict[str, Literal["hold", "back"]] = {"h": "hold", "b": "back"}
        return answers.get(reply)

    def _asked(self, view: View) -> str:
        self._asking = True
        try:
            return view.ask("Ctrl-C: [h]old the weights as they are, go [b]ack, or [c]ontinue?", "hbc")
        finally:
            self._asking = False

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._count += number == signal.SIGINT
        self._ended |= number in ENDING
        self._suspended |= number == SUSPENDING
        if self._asking and (number == signal.SIGINT or number in ENDING):
            self._asking = False
            raise _AgainError
