r"""Expressions of RE2 in pure Python: what Istio (in Go) and Envoy (RE2) both take, and what it means.

An expression is read and written anew for Python, character by character, so that nothing in it is left to
Python's own reading. Stricter than both where they are lenient, differ, or Python could not follow: the octal
escapes, `\Q..\E`, scripts (`\p{Greek}`), `(?<name>`, `(?U)`, `(?i)` outside ASCII, repeated `^`, `$`, `\b`.
"""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from components.re2_characters import Characters
from components.re2_classes import RefusedError, cost, written
from components.re2_positions import Step, again, assertion, character, either, in_turn
from components.re2_positions import fits as leads_through

MOST_REPEATS: Final = 1000
"""Go's and RE2's own limit, for one count and for the product of counts within each other."""

LARGEST: Final = 40_000
"""Instructions. RE2's default memory holds 87381, half of that for the direction backwards."""

DEEPEST: Final = 100
"""Groups within groups. Go and RE2 stop at 1000; Python's own parser calls itself for each."""

BRANCH: Final = "|"

_REPEAT: Final = re.compile(r"(?:([*+?])|\{(0|[1-9][0-9]*)(?:(,)(0|[1-9][0-9]*)?)?\})\??")
_UNSURE: Final = re.compile(r"\{[0-9,]+\}")
_OPENING: Final = re.compile(r"\((?:\?P<([A-Za-z_][A-Za-z0-9_]*)>|\?([ims]*)(?:-([ims]+))?([:)])|(?!\?))")
_ASSERTIONS: Final = {r"\A": r"\A", r"\z": r"\Z", r"\b": r"\b", r"\B": r"(?!\b)"}
r"""On no text at all Python's `\B` fails, where RE2's matches."""


@lru_cache(maxsize=256)
def compiled(pattern: str) -> re.Pattern[str]:
    """Compile for Python what RE2 and Go take: the same groups, and the same whole texts match.

    Raises:
        RefusedError: One of them does not take it, or we are not sure; says why.
    """
    try:
        return re.compile(_read(pattern).text, re.ASCII)
    except (re.error, RecursionError, OverflowError) as error:
        raise RefusedError(str(error)) from error


@lru_cache(maxsize=256)
def _read(pattern: str) -> "_Atom":
    return _Reader(pattern).read()


def fits(pattern: str, text: str) -> bool:
    """Tell whether an expression fits a whole text, however many ways it has through it.

    Raises:
        RefusedError: RE2 or Go does not take the expression, or we are not sure; says why.
    """
    return leads_through(_read(pattern).step, text)


@dataclass(frozen=True)
class _Atom:
    text: str
    step: Step
    cost: int = 1
    repeats: int = 1
    fixed: str = ""
    """Why nothing can repeat it."""


@dataclass
class _Group:
    opening: str
    around: frozenset[str]
    """The flags that hold again after it."""
    atoms: list[_Atom] = field(default_factory=list)

    def closed(self) -> _Atom:
        total = 2 + sum(atom.cost for atom in self.atoms)
        repeats = max((atom.repeats for atom in self.atoms), default=1)
        text = self.opening + "".join(atom.text for atom in self.atoms) + ")"
        return _Atom(text, self._step(), total, repeats)

    def _step(self) -> Step:
        branches: list[list[Step]] = [[]]
        for atom in self.atoms:
            if atom.text == BRANCH:
                branches.append([])
            else:
                branches[-1].append(atom.step)
        return either([in_turn(steps) for steps in branches])


class _Reader(Characters):
    def __init__(self, pattern: str) -> None:
        super().__init__(pattern)
        self.groups = [_Group("(?:", frozenset())]
        self.names: set[str] = set()

    def read(self) -> _Atom:
        while self.at < len(self.pattern):
            if not (self._repeat() or self._group() or self._assertion()):
                characters = self.one()
                text = written(characters)
                self._push(_Atom(text, character(text), cost(characters)))
        if len(self.groups) > 1:
            raise RefusedError("a group is not closed: missing )")
        return _small(self.groups[0].closed())

    def _push(self, atom: _Atom) -> bool:
        self.groups[-1].atoms.append(atom)
        return True

    def _repeat(self) -> bool:
        found = self.take(_REPEAT)
        if found is None:
            if unsure := _UNSURE.match(self.pattern, self.at):
                raise RefusedError(rf"{unsure[0]} is no repetition; write \{{ for the character itself")
            return False
        atoms = self.groups[-1].atoms
        if not atoms or atoms[-1].fixed:
            raise RefusedError(f"{atoms[-1].fixed if atoms else 'there is nothing to repeat'}: {found[0]}")
        sign, least, comma, most = found.groups()
        low, high = int((least or "0")[:5]), int((most or least or "0")[:5])
        if low > MOST_REPEATS or high > MOST_REPEATS or low > high:
            raise RefusedError(f"bad counts of a repetition: {found[0]}")
        atom = atoms.pop()
        if (repeats := atom.repeats * max(high, 1)) > MOST_REPEATS:
            raise RefusedError(f"repetitions within each other come to more than {MOST_REPEATS}: {found[0]}")
        copies = 1 if sign else max(high, 1) + bool(comma)
        size = copies * (atom.cost + 2)
        step = again(atom.step, *_counts(sign, low, None if comma and not most else high))
        return self._push(
            _small(_Atom(atom.text + found[0], step, size, repeats, "a repetition is repeated"))
        )

    def _group(self) -> bool:
        here = self.pattern[self.at]
        if here == "|":
            self.at += 1
            return self._push(_Atom(BRANCH, in_turn([]), fixed="there is nothing to repeat"))
        if here == ")":
            if len(self.groups) == 1:
                raise RefusedError("a group is closed that is not open: unexpected )")
            self.at += 1
            group = self.groups.pop()
            self.flags = group.around
            return self._push(_small(group.closed()))
        return here == "(" and self._opening()

    def _opening(self) -> bool:
        found = self.take(_OPENING)
        if found is None or found[0] == "(?)":
            raise RefusedError(f"no such group in RE2: {self.pattern[self.at : self.at + 4]}")
        name, on, off, end = found.groups()
        flags = (self.flags | {*(on or "")}) - {*(off or "")}
        if end == ")":
            self.flags = flags
            return self._push(_Atom("", in_turn([]), fixed="there is nothing to repeat"))
        if name in self.names:
            raise RefusedError(f"two groups have the name {name}")
        if len(self.groups) > DEEPEST:
            raise RefusedError(f"its groups are more than {DEEPEST} deep")
        self.names |= {name} if name else set()
        self.groups.append(_Group("(?:" if end else f"(?P<{name}>" if name else "(", self.flags))
        self.flags = flags
        return True

    def _assertion(self) -> bool:
        one, two = self.pattern[self.at], self.pattern[self.at : self.at + 2]
        text = _ASSERTIONS.get(two)
        size = 2 if text else 1
        if one in "^$":
            outside = {"^": r"\A", "$": r"\Z"}[one]
            text = f"(?m:{one})" if "m" in self.flags else outside
        if text is None:
            return False
        self.at += size
        return self._push(_Atom(text, assertion(text), fixed="an assertion is repeated"))


def _counts(sign: str | None, low: int, high: int | None) -> tuple[int, int | None]:
    return {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(sign or "", (low, high))


def _small(atom: _Atom) -> _Atom:
    if atom.cost > LARGEST:
        raise RefusedError("it is too large once its repetitions are written out")
    return atom
