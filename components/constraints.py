"""What a value must be, declared as data on the fields of the model.

A constraint stands in the field's type: `Annotated[int, Range(0, 100)]`. The decoder asks it for a fault; the
JSON Schema and the documents read its fields. No I/O, no Pulumi.
"""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import re2

from components.faults import Fault, Path, assign
from components.messages import EMPTY, FORM, KEY_FORM, NOT_AMONG, NOT_RE2, OUT_OF_RANGE, TWICE

LONGEST_REGEX: Final = 1024
"""Istio's own limit, in bytes: pkg/config/validation, validateStringRegexp."""


class Constraint:
    """Anything that can find fault with a value of the right type."""

    def fault(self, value: object, path: Path, example: object = None, /) -> Fault | None:
        """Return the breach, if there is one, with what mends it: the field's example, if nothing nearer."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class Example:
    """A value to show where the field is missing or wrong."""

    value: object


@dataclass(frozen=True)
class Range(Constraint):
    """Both ends belong to the range."""

    minimum: float
    maximum: float

    def fault(self, value: object, path: Path, _example: object = None, /) -> Fault | None:
        """Offer the nearer end."""
        if isinstance(value, int | float) and self.minimum <= value <= self.maximum:
            return None
        above = isinstance(value, int | float) and value > self.maximum
        nearest = self.maximum if above else self.minimum
        return OUT_OF_RANGE.at(path, value, minimum=self.minimum, maximum=self.maximum, nearest=nearest)


@dataclass(frozen=True)
class Always(Constraint):
    """The only value that means something, where the key's absence is the other one."""

    only: bool

    def fault(self, value: object, path: Path, _example: object = None, /) -> Fault | None:
        """Show the one value."""
        word = str(self.only).lower()
        return None if value is self.only else NOT_AMONG.at(path, value, choices=word, nearest=word)


@dataclass(frozen=True)
class Form(Constraint):
    """Text of a form: the whole text matches the pattern and is not longer than `longest`."""

    pattern: str
    says: str
    example: str
    longest: int | None = None

    def holds(self, text: str) -> bool:
        """Tell whether the text has the form."""
        short_enough = self.longest is None or len(text) <= self.longest
        return short_enough and re.fullmatch(self.pattern, text) is not None

    @property
    def rule(self) -> str:
        """The form in words."""
        return self.says if self.longest is None else f"{self.says}, at most {self.longest} characters"

    def fault(self, value: object, path: Path, example: object = None, /) -> Fault | None:
        """Show the example."""
        if self.holds(str(value)):
            return None
        return FORM.at(path, value, says=self.rule, example=shlex.quote(str(example or self.example)))

    def key_fault(self, key: str, path: Path) -> Fault | None:
        """Judge the name of a key by the same form."""
        return None if self.holds(key) else KEY_FORM.at(path, key, says=self.rule, example=self.example)


_UNITS: Final = {
    "h": Fraction(3600),
    "m": Fraction(60),
    "s": Fraction(1),
    "ms": Fraction(1, 1000),
    "us": Fraction(1, 10**6),
    "µs": Fraction(1, 10**6),
    "ns": Fraction(1, 10**9),
}
_TERM: Final = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)(h|ms|m|s|us|µs|ns)")


def seconds(duration: str) -> Fraction | None:
    """Read a duration in Go's form: `1h30m`, `500ms`, `1.5s`. None if it is none."""
    if not duration or _TERM.sub("", duration):
        return None
    return sum((Fraction(number) * _UNITS[unit] for number, unit in _TERM.findall(duration)), Fraction())


@dataclass(frozen=True)
class Duration(Constraint):
    """A duration in Go's form, a multiple of `unit`, which is the least one as well."""

    unit: str = "1ms"
    longest: str = "24h"
    example: str = "2s"

    @property
    def rule(self) -> str:
        """The duration in words."""
        return (
            f"a duration in Go's form (1h30m, 10s, 500ms), a multiple of {self.unit}, "
            f"from {self.unit} to {self.longest}"
        )

    def fault(self, value: object, path: Path, example: object = None, /) -> Fault | None:
        """Show the example."""
        unit, longest, length = seconds(self.unit), seconds(self.longest), seconds(str(value))
        if unit and longest and length and unit <= length <= longest and (length / unit).denominator == 1:
            return None
        return FORM.at(path, value, says=self.rule, example=example or self.example)


@dataclass(frozen=True)
class Regex(Constraint):
    """A regular expression that Envoy compiles. It always has to match the whole text."""

    example: str

    def fault(self, value: object, path: Path, example: object = None, /) -> Fault | None:
        """Say where the expression goes wrong."""
        if (why := regex_error(str(value))) is None:
            return None
        return NOT_RE2.at(
            path, value, longest=LONGEST_REGEX, why=why, example=shlex.quote(str(example or self.example))
        )


_ONE_BYTE: Final = re.compile(r"(?<!\\)(?:\\\\)*\\C")


def regex_error(pattern: str) -> str | None:
    """Tell why Istio or Envoy would refuse the expression."""
    if not pattern:
        return "it is empty"
    if (length := len(pattern.encode())) > LONGEST_REGEX:
        return f"it has {length}"
    if _ONE_BYTE.search(pattern):
        return r"Go, in which Istio checks it, knows no \C"
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(pattern, options)
    except re2.error as error:
        (why,) = error.args
        return why.decode() if isinstance(why, bytes) else str(why)
    return None


@dataclass(frozen=True, eq=False)
class NotEmpty(Constraint):
    """A list or mapping with at least one entry."""

    example: object

    def fault(self, value: object, path: Path, example: object = None, /) -> Fault | None:
        """Show the example."""
        return None if value else EMPTY.at(path, value, example=assign(path, example or self.example))


@dataclass(frozen=True)
class Distinct(Constraint):
    """A list without doubles."""

    def fault(self, value: object, path: Path, _example: object = None, /) -> Fault | None:
        """Point at the first entry that was there before."""
        entries = value if isinstance(value, Sequence) else ()
        for nth, entry in enumerate(entries):
            if entry in entries[:nth]:
                return TWICE.at(path / nth, entry)
        return None
