"""Constraints on single values, declared in the types of the model's fields: `Annotated[int, Range(0, 100)]`.

The decoder checks them; the JSON Schema and the generated documents read their fields. No I/O, no Pulumi.
"""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from components.schema.issues import Issue, Path, assign
from components.schema.messages import (
    DUPLICATE,
    EMPTY,
    INVALID_CHOICE,
    INVALID_FORMAT,
    INVALID_KEY,
    OUT_OF_RANGE,
)


class Constraint:
    """A condition that a value of the right type must meet."""

    def issue(self, value: object, path: Path, example: object = None, /) -> Issue | None:
        """Return the violation, if any. Its fix is the nearest valid value, or else the field's example."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class Example:
    """A valid value, for the fix of a missing or invalid one."""

    value: object


@dataclass(frozen=True)
class Range(Constraint):
    """A number between two limits, both included."""

    minimum: float
    maximum: float

    def issue(self, value: object, path: Path, _example: object = None, /) -> Issue | None:
        """Suggest the nearer limit."""
        if isinstance(value, int | float) and self.minimum <= value <= self.maximum:
            return None
        above = isinstance(value, int | float) and value > self.maximum
        nearest = self.maximum if above else self.minimum
        return OUT_OF_RANGE.at(path, value, minimum=self.minimum, maximum=self.maximum, nearest=nearest)


@dataclass(frozen=True)
class Always(Constraint):
    """The only value that the key can have; the other one is to leave the key out."""

    only: bool

    def issue(self, value: object, path: Path, _example: object = None, /) -> Issue | None:
        """Suggest the one value."""
        word = str(self.only).lower()
        return None if value is self.only else INVALID_CHOICE.at(path, value, choices=word, nearest=word)


@dataclass(frozen=True)
class Pattern(Constraint):
    """Text that matches the pattern in full and has at most `longest` characters."""

    pattern: str
    description: str
    example: str
    longest: int | None = None
    folds: bool = False
    """Whether case has no meaning: the decoder converts the text to lower case."""

    def accepts(self, text: str) -> bool:
        """Return whether the text matches."""
        short_enough = self.longest is None or len(text) <= self.longest
        return short_enough and re.fullmatch(self.pattern, text) is not None

    @property
    def rule(self) -> str:
        """The description, with the maximal length."""
        return (
            self.description
            if self.longest is None
            else f"{self.description}, at most {self.longest} characters"
        )

    def issue(self, value: object, path: Path, example: object = None, /) -> Issue | None:
        """Suggest the example."""
        if self.accepts(str(value)):
            return None
        return INVALID_FORMAT.at(
            path, value, description=self.rule, example=shlex.quote(str(example or self.example))
        )

    def key_issue(self, key: str, path: Path) -> Issue | None:
        """Check the name of a key against the pattern."""
        return (
            None
            if self.accepts(key)
            else INVALID_KEY.at(path, key, description=self.rule, example=self.example)
        )


VALID_UNICODE: Final = Pattern(
    pattern=r"[^\ud800-\udfff]*",
    description="valid Unicode text; half of a surrogate pair is no character",
    example="TEXT",
)
"""Applies to all text and every name of a key: YAML can express characters that UTF-8 cannot."""


@dataclass(frozen=True, eq=False)
class NotEmpty(Constraint):
    """A list or mapping with at least one entry."""

    example: object

    def issue(self, value: object, path: Path, example: object = None, /) -> Issue | None:
        """Suggest the example."""
        return None if value else EMPTY.at(path, value, example=assign(path, example or self.example))


@dataclass(frozen=True)
class Distinct(Constraint):
    """A list without duplicates."""

    def issue(self, value: object, path: Path, _example: object = None, /) -> Issue | None:
        """Report the first entry that repeats an earlier one."""
        entries = value if isinstance(value, Sequence) else ()
        for nth, entry in enumerate(entries):
            if entry in entries[:nth]:
                return DUPLICATE.at(path / nth, entry)
        return None
