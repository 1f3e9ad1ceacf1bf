"""A clock for holds and waits that does not count the time in which the process was stopped."""

import time
from collections.abc import Callable
from typing import Final

GAP_SECONDS: Final = 5.0
"""The most that the time between two readings counts. The loop reads the clock several times a second; more
time passes in an update, during a slow answer, and while the process or the machine is stopped."""


class ObservedClock:
    """Counts seconds from its creation on, independent of wall clock changes and of a machine that slept."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._read = monotonic()
        self._observed = 0.0

    def now(self) -> float:
        """Return the observed seconds."""
        moment = self._monotonic()
        self._observed += min(moment - self._read, GAP_SECONDS)
        self._read = moment
        return self._observed
