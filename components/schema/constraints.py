"""What a value must be, declared as data on the fields of the model.

A constraint stands in the field's type: `Annotated[int, Range(0, 100)]`. The decoder asks it for a fault; the
JSON Schema and the documents read its fields. No I/O, no Pulumi.
"""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from components.schema.issues import Issue, Path, assign
from components.schema.messages import EMPTY, INVALID_FORMAT, INVALID_KEY, NOT_AMONG, OUT_OF_RANGE, TWICE


class Constraint:
    """Anything that can find fault with a value of the right type."""

    def issue(self, value: object, path: Path, example: object = None, /) -> Issue | None:
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

    def issue(self, value: object, path: Path, _example: object = None, /) -> Issue | None:
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

    def issue(self, value: object, path: Path, _example: object = None, /) -> Issue | None:
        """Show the one value."""
        word = str(self.only).lower()
        return None if value is self.only else NOT_AMONG.at(path, value, choices=word, nearest=word)


@dataclass(frozen=True)
class Pattern(Constraint):
    """Text of a form: the whole text matches the pattern and is not longer than `longest`."""

    pattern: str
    description: str
    example: str
    longest: int | None = None
    folds: bool = False
    """Whether the text means the same in upper and lower case: what reads it gets lower case."""

    def holds(self, text: str) -> bool:
        """Tell whether the text has the form."""
        short_enough = self.longest is None or len(text) <= self.longest
        return short_enough and re.fullmatch(self.pattern, text) is not None

    @property
    def rule(self) -> str:
        """The form in words."""
        return (
            self.description
            if self.longest is None
            else f"{self.description}, at most {self.longest} characters"
        )

    def issue(self, value: object, path: Path, example: object = None, /) -> Issue | None:
        """Show the example."""
        if self.holds(str(value)):
            return None
        return INVALID_FORMAT.at(
            path, value, description=self.rule, example=shlex.quote(str(example or self.example))
        )

    def key_issue(self, key: str, path: Path) -> Issue | None:
        """Judge the name of a key by the same form."""
        return (
            None
            if self.holds(key)
            else INVALID_KEY.at(path, key, description=self.rule, example=self.example)
        )


WHOLE: Final = Pattern(
    pattern=r"[^\ud800-\udfff]*",
    description="text of whole characters, and half of a surrogate pair is none",
    example="TEXT",
)
"""What holds for all text and every name of a key: YAML can write what UTF-8 cannot."""


@dataclass(frozen=True, eq=False)
class NotEmpty(Constraint):
    """A list or mapping with at least one entry."""

    example: object

    def issue(self, value: object, path: Path, example: object = None, /) -> Issue | None:
        """Show the example."""
        return None if value else EMPTY.at(path, value, example=assign(path, example or self.example))


@dataclass(frozen=True)
class Distinct(Constraint):
    """A list without doubles."""

    def issue(self, value: object, path: Path, _example: object = None, /) -> Issue | None:
        """Point at the first entry that was there before."""
        entries = value if isinstance(value, Sequence) else ()
        for nth, entry in enumerate(entries):
            if entry in entries[:nth]:
                return TWICE.at(path / nth, entry)
        return None
