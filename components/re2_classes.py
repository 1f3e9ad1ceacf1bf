r"""Sets of characters as ranges of code points: `[...]`, `\d`, `[[:alpha:]]` and `\pL` as RE2 has them."""

import re
import string
import sys
import unicodedata
from collections.abc import Iterable
from functools import cache
from typing import Final

Ranges = tuple[tuple[int, int], ...]
"""From and to, both in the set; in order and apart where a function of this module made them."""

LAST: Final = sys.maxunicode
_ASCII: Final = 0x7F


class RefusedError(ValueError):
    """Istio or Envoy would refuse the expression, or we cannot be sure that they would not."""


def ranges(characters: Iterable[str] | Iterable[int]) -> Ranges:
    """Put characters together."""
    codes = [ord(each) if isinstance(each, str) else each for each in characters]
    return union([(code, code) for code in codes])


def union(parts: Iterable[tuple[int, int]]) -> Ranges:
    """Put ranges in order and together."""
    joined: list[tuple[int, int]] = []
    for low, high in sorted(parts):
        if joined and low <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return tuple(joined)


def complement(of: Ranges) -> Ranges:
    """All characters but these: a line's end as well, as in RE2 and Go."""
    rest, start = [], 0
    for low, high in of:
        rest += [(start, low - 1)] if low > start else []
        start = high + 1
    return (*rest, (start, LAST)) if start <= LAST else tuple(rest)


def folded(of: Ranges) -> Ranges:
    """Add the other case of each letter, as Unicode has it: of `k` also the Kelvin sign, of `s` the long one.

    Raises:
        RefusedError: A character is outside ASCII, where versions of Unicode differ.
    """
    if any(high > _ASCII for _, high in of):
        raise RefusedError("with (?i) only ASCII characters are taken here")
    there = [letter for letter in string.ascii_letters if any(low <= ord(letter) <= high for low, high in of)]
    others = [letter.swapcase() for letter in there]
    others += ["\u212a"] if {"k", "K"} & {*there} else []
    others += ["\u017f"] if {"s", "S"} & {*there} else []
    return union([*of, *ranges(others)])


@cache
def category(name: str) -> Ranges | None:
    """A general category of Unicode, `L` or `Lu`. None for anything else: scripts, and `C`, which differs."""
    if name not in _CATEGORIES:
        return None
    return ranges(code for code in range(LAST + 1) if unicodedata.category(chr(code)).startswith(name))


def written(of: Ranges) -> str:
    """Write the set so that Python reads nothing else into it."""
    if not of:
        return rf"[^\x00-\U{LAST:08x}]"
    if of[0][0] == of[-1][1]:
        return re.escape(chr(of[0][0]))
    return "[" + "".join(rf"\U{low:08x}-\U{high:08x}" for low, high in of) + "]"


def cost(of: Ranges) -> int:
    """How many instructions of RE2 the set takes at most: it compiles to bytes of UTF-8."""
    return 1 + sum(_cost(low, high) for low, high in of)


def _cost(low: int, high: int) -> int:
    """Count the bytes of a range's sequences: of each length at most two for each byte, less one."""
    if low <= _ASCII + 1 and high == LAST:
        return 12  # RE2 knows this one
    total, start = 0, 0
    for length, last in enumerate((_ASCII, 0x7FF, 0xFFFF, LAST), start=1):
        first, final = max(low, start), min(high, last)
        if first <= final:
            total += length if first >> 6 == final >> 6 else length * (2 * length - 1)
        start = last + 1
    return total


PERL: Final[dict[str, Ranges]] = {
    "d": ranges(string.digits),
    "s": ranges("\t\n\f\r "),  # no \v, unlike Python
    "w": ranges(string.ascii_letters + string.digits + "_"),
}
POSIX: Final[dict[str, Ranges]] = {
    "alnum": ranges(string.ascii_letters + string.digits),
    "alpha": ranges(string.ascii_letters),
    "ascii": ((0, _ASCII),),
    "blank": ranges("\t "),
    "cntrl": ((0, 0x1F), (_ASCII, _ASCII)),
    "digit": ranges(string.digits),
    "graph": ((0x21, 0x7E),),
    "lower": ranges(string.ascii_lowercase),
    "print": ((0x20, 0x7E),),
    "punct": ranges(string.punctuation),
    "space": ranges("\t\n\v\f\r "),
    "upper": ranges(string.ascii_uppercase),
    "word": PERL["w"],
    "xdigit": ranges(string.hexdigits),
}
_CATEGORIES: Final = frozenset(
    letter + kind
    for letter, kinds in {
        "L": "ultmo",
        "M": "nce",
        "N": "dlo",
        "P": "cdseifo",
        "S": "mcko",
        "Z": "slp",
    }.items()
    for kind in ("", *kinds)
)
