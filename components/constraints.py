"""What a value must be, declared as data on the fields of the model.

A constraint stands in the field's type: `Annotated[int, Range(0, 100)]`. The decoder asks it for a fault; the
JSON Schema and the documents read its fields. No I/O, no Pulumi.
"""

import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from components.faults import Fault, Path, assign, command
from components.messages import AT_MOST_ONE, EMPTY, EXACTLY_ONE, FORM, KEY_FORM, OUT_OF_RANGE, TWICE

T = TypeVar("T")


class Constraint:
    """Anything that can find fault with a value of the right type."""

    def fault(self, value: object, path: Path) -> Fault | None:
        """Return the breach, if there is one."""
        raise NotImplementedError


@dataclass(frozen=True)
class Example:
    """A value to show where the field is missing or wrong."""

    value: object


@dataclass(frozen=True)
class Range(Constraint):
    """Both ends belong to the range."""

    minimum: float
    maximum: float

    def fault(self, value: object, path: Path) -> Fault | None:
        """Offer the nearer end."""
        if isinstance(value, int | float) and self.minimum <= value <= self.maximum:
            return None
        above = isinstance(value, int | float) and value > self.maximum
        return OUT_OF_RANGE.at(
            path,
            value,
            minimum=self.minimum,
            maximum=self.maximum,
            nearest=self.maximum if above else self.minimum,
        )


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

    def fault(self, value: object, path: Path) -> Fault | None:
        """Show the example."""
        if self.holds(str(value)):
            return None
        return FORM.at(path, value, says=self.rule, example=shlex.quote(self.example))

    def key_fault(self, key: str, path: Path) -> Fault | None:
        """The same for the name of a key."""
        return None if self.holds(key) else KEY_FORM.at(path, key, says=self.rule, example=self.example)


@dataclass(frozen=True)
class NotEmpty(Constraint):
    """A list or mapping with at least one entry."""

    example: object

    def fault(self, value: object, path: Path) -> Fault | None:
        """Show the example."""
        return None if value else EMPTY.at(path, value, example=assign(path, self.example))


@dataclass(frozen=True)
class Distinct(Constraint):
    """A list without doubles."""

    def fault(self, value: object, path: Path) -> Fault | None:
        """Point at the first entry that was there before."""
        entries = value if isinstance(value, Sequence) else ()
        for nth, entry in enumerate(entries):
            if entry in entries[:nth]:
                return TWICE.at(path / nth, entry)
        return None


@dataclass(frozen=True)
class Choice:
    """Which of some keys of one mapping may stand together."""

    keys: tuple[str, ...]
    required: bool

    def fault(self, given: Sequence[str], path: Path, example: object) -> Fault | None:
        """Find none where one is required, or more than one."""
        here = [key for key in self.keys if key in given]
        if len(here) == 1 or (not here and not self.required):
            return None
        message = EXACTLY_ONE if self.required else AT_MOST_ONE
        mend = command("rm", path / here[-1]) if here else assign(path / self.keys[0], example)
        found = " and ".join(here) or "none"
        return message.at(path, found, choices=", ".join(self.keys), found=found, mend=mend)


def exactly_one(*keys: str) -> Callable[[type[T]], type[T]]:
    """Declare on a dataclass that exactly one of these keys is given."""
    return _declare(Choice(keys, required=True))


def at_most_one(*keys: str) -> Callable[[type[T]], type[T]]:
    """Declare on a dataclass that these keys exclude each other."""
    return _declare(Choice(keys, required=False))


def choices(of: type) -> tuple[Choice, ...]:
    """Read what was declared on a dataclass."""
    declared: tuple[Choice, ...] = getattr(of, "__choices__", ())
    return declared


def _declare(choice: Choice) -> Callable[[type[T]], type[T]]:
    def declare(on: type[T]) -> type[T]:
        on.__choices__ = (choice, *choices(on))  # type: ignore[attr-defined]
        return on

    return declare
