"""Which texts an expression fits, found without going back: no expression takes more than a moment.

A step takes the positions of a text at which something can begin, and gives those at which it can end.
Positions are the bits of one number, so a step costs the same for one of them as for all.
"""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache, reduce

Step = Callable[[str, int], int]


def fits(step: Step, text: str) -> bool:
    """Tell whether a step leads from the beginning of a text to its end."""
    return bool(step(text, 1) >> len(text) & 1)


def character(written: str) -> Step:
    """Go past one character of a set, as Python writes it."""
    return lambda text, at: (at & _places(written, text)) << 1


def assertion(written: str) -> Step:
    """Stay where an assertion of Python's holds."""
    return lambda text, at: at & _places(written, text)


def in_turn(steps: Sequence[Step]) -> Step:
    """Go one step after the other."""
    return lambda text, at: reduce(lambda here, step: step(text, here), steps, at)


def either(steps: Sequence[Step]) -> Step:
    """Go any of the steps."""
    return lambda text, at: reduce(lambda ends, step: ends | step(text, at), steps, 0)


def again(step: Step, least: int, most: int | None) -> Step:
    """Go a step so many times."""

    def ends(text: str, at: int) -> int:
        for _ in range(least):
            at = step(text, at)
        found, new, left = at, at, most
        while new and left != least:
            new = step(text, new) & ~found
            found |= new
            left = None if left is None else left - 1
        return found

    return ends


@lru_cache(maxsize=4096)
def _places(written: str, text: str) -> int:
    """Find where something without a repetition in it matches, as bits."""
    here = re.compile(written, re.ASCII)
    return sum(1 << at for at in range(len(text) + 1) if here.match(text, at))
