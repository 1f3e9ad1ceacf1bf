"""The time by which holds are measured."""

import time

import pytest

from operations.canary.clock import GAP_SECONDS, ObservedClock


def test_a_wall_clock_that_jumps_moves_it_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """By an hour, in either direction: by summer time, by NTP, by hand."""
    assert ObservedClock.__init__.__defaults__ == (time.monotonic,)
    clock = ObservedClock()
    before = clock.now()
    for jump in (3600, -3600):
        monkeypatch.setattr(time, "time", lambda jump=jump: 1e9 + jump)
        assert 0 <= clock.now() - before < 1


def test_only_observed_time_counts() -> None:
    """A machine that slept, a process that was stopped, an update: nobody watched meanwhile."""
    moments = iter([100.0, 100.0, 100.5, 3700.5, 3701.0, 3701.0])
    clock = ObservedClock(lambda: next(moments))
    times = [clock.now() for _ in range(5)]
    assert times == [0, 0.5, 0.5 + GAP_SECONDS, 1 + GAP_SECONDS, 1 + GAP_SECONDS]
