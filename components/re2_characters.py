r"""The characters of an expression of RE2, read into ranges: `a`, `\n`, `\d`, `[^a-z[:digit:]]`."""

import re
from dataclasses import dataclass
from typing import Final

from components.re2_classes import (
    LAST,
    PERL,
    POSIX,
    Ranges,
    RefusedError,
    category,
    complement,
    folded,
    ranges,
    union,
)

_SURROGATES: Final = range(0xD800, 0xE000)
"""Halves of characters, which UTF-8 does not have."""

_SET: Final = re.compile(r"\\([dswDSW])|\\([pP])(?:([A-Z])|\{([A-Za-z]+)\})|\[:(\^?)([a-z]+):\]")
_CHARACTER: Final = re.compile(
    r"\\x([0-9A-Fa-f]{2})|\\x\{([0-9A-Fa-f]{1,8})\}|\\([afnrtv])|\\([\x00-/:-@\[-`{-\x7f])|([^\\])", re.DOTALL
)
_CONTROL: Final = dict(zip("afnrtv", "\a\f\n\r\t\v", strict=True))


@dataclass
class Characters:
    """An expression, the place up to which it is read, and the flags that hold there."""

    pattern: str
    at: int = 0
    flags: frozenset[str] = frozenset()

    def take(self, syntax: re.Pattern[str]) -> re.Match[str] | None:
        """Read on if this comes next."""
        found = syntax.match(self.pattern, self.at)
        self.at = found.end() if found else self.at
        return found

    def one(self) -> Ranges:
        """Read what stands for one character.

        Raises:
            RefusedError: RE2 or Go would not read it, or we do not; says why.
        """
        here = self.pattern[self.at]
        if here == "[":
            return self._class()
        if here == ".":
            self.at += 1
            return complement(() if "s" in self.flags else ranges("\n"))
        return self._set() or self._span(alone=True)

    def _class(self) -> Ranges:
        start = self.at
        self.at += 1
        negated = self.pattern.startswith("^", self.at)
        self.at += negated
        first, parts = self.at, list[tuple[int, int]]()
        while self.at == first or not self.pattern.startswith("]", self.at):
            if self.at >= len(self.pattern):
                raise RefusedError(f"a set is not closed, missing ]: {self.pattern[start:]}")
            parts += self._set(within=True) or self._span()
        self.at += 1
        return complement(union(parts)) if negated else union(parts)

    def _span(self, *, alone: bool = False) -> Ranges:
        start = self.at
        low = high = self._character()
        after = self.pattern[self.at + 1 : self.at + 2]
        if not alone and self.pattern.startswith("-", self.at) and after not in {"", "]"}:
            self.at += 1
            high = self._character()
        if high < low:
            raise RefusedError(f"a range runs backwards: {self.pattern[start : self.at]}")
        return self._folded(((low, high),))

    def _set(self, *, within: bool = False) -> Ranges | None:
        posix = self.pattern.startswith("[:", self.at)
        found = self.take(_SET) if within or not posix else None
        if found is None:
            if within and posix:
                raise RefusedError(rf"no such set: {self.pattern[self.at : self.at + 9]}; [ itself is \[")
            return None
        perl, sign, letter, name, caret, in_posix = found.groups()
        known = PERL[perl.lower()] if perl else POSIX.get(in_posix) if in_posix else category(letter or name)
        if known is None:
            raise RefusedError(f"a set that is not taken here: {found[0]}")
        known = self._folded(known)
        return complement(known) if (perl or sign or "").isupper() or caret else known

    def _character(self) -> int:
        found = self.take(_CHARACTER)
        if found is None:
            escape = self.pattern[self.at : self.at + 2]
            raise RefusedError(f"no escape of RE2 that is taken here: {escape}")
        short, long, control, escaped, plain = found.groups()
        code = int(short or long, 16) if short or long else ord(_CONTROL.get(control) or escaped or plain)
        if code > LAST or code in _SURROGATES:
            raise RefusedError(f"no character: {found[0]!a}")
        return code

    def _folded(self, known: Ranges) -> Ranges:
        return folded(known) if "i" in self.flags else known
