"""Durations in Go's form, as stack files have them."""

import re
from typing import Final

_SECONDS: Final = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_TERM: Final = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)(h|ms|m|s|us|µs|ns)")


def seconds(duration: str) -> float:
    """Read a duration that the program has taken already: `1h30m` is 5400.0."""
    return sum(float(number) * _SECONDS[unit] for number, unit in _TERM.findall(duration))


def clock(length: float) -> str:
    """Write a time for people: `1:05`, or `2:00:00`."""
    minutes, rest = divmod(max(0, round(length)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
