"""Signals: Ctrl-C asks what to do, a second Ctrl-C holds; signals that end the process roll back."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, Literal

from operations.canary.terminal.view import View

ENDING: Final = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
"""Termination, a closed terminal, Ctrl-\\: the canary cannot ask the user or continue."""
SUSPENDING: Final = signal.SIGTSTP
"""Ctrl-Z: a stopped canary analyses nothing."""


class _AgainError(Exception):
    """A signal while the question is shown."""


class Interrupts:
    """Records signals, to handle them between two steps of work."""

    def __init__(self) -> None:
        self._count = 0
        self._ended = False
        self._suspended = False
        self._asking = False

    @contextmanager
    def caught(self) -> Iterator[None]:
        """Record signals instead of ending; `nohup` keeps its effect."""
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
        """Return what to do about a signal: the user's answer, or hold without a terminal.

        Roll back if the output is lost: the user would not know of a held version.
        """
        if self._suspended:
            self._suspended = False
            view.report_line(
                "Ctrl-Z ignored: a stopped canary analyses nothing; use --pause from another terminal"
            )
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
            return view.ask("Ctrl-C: [h]old the weights as they are, roll [b]ack, or [c]ontinue?", "hbc")
        finally:
            self._asking = False

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._count += number == signal.SIGINT
        self._ended |= number in ENDING
        self._suspended |= number == SUSPENDING
        if self._asking and (number == signal.SIGINT or number in ENDING):
            self._asking = False
            raise _AgainError
