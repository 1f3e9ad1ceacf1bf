"""The time that a canary was awake and at work, by which its holds and waits are measured."""

import time
from collections.abc import Callable
from typing import Final

GAP_SECONDS: Final = 5.0
"""What the time between two readings counts for at most. The loop reads the clock several times a second. A
longer time goes by in an update, behind a slow answer, and when process or machine were stopped."""


class ObservedClock:
    """Counts seconds from its making on. Neither a changed wall clock nor a machine that slept moves it."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._read = monotonic()
        self._observed = 0.0

    def now(self) -> float:
        """Tell how many seconds were observed."""
        moment = self._monotonic()
        self._observed += min(moment - self._read, GAP_SECONDS)
        self._read = moment
        return self._observed
