"""Groups of keys of which one, at most one or at least one is allowed, declared on their dataclass."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from components.schema.issues import Issue, Path, assign, command
from components.schema.messages import AT_LEAST_ONE, AT_MOST_ONE, EXACTLY_ONE

T = TypeVar("T")


@dataclass(frozen=True)
class Choice:
    """How many keys of a group must, and may, be given."""

    keys: tuple[str, ...]
    at_least: int
    at_most: int

    def issue(self, given: Sequence[str], path: Path, example: object) -> Issue | None:
        """Suggest to remove the last excess key, or to set the first one if none is given."""
        present = [key for key in self.keys if key in given]
        if self.at_least <= len(present) <= self.at_most:
            return None
        fix = command("rm", path / present[-1]) if present else assign(path / self.keys[0], example)
        found = " and ".join(present) or "none"
        message = EXACTLY_ONE if self.at_least == self.at_most else AT_MOST_ONE if present else AT_LEAST_ONE
        return message.at(path, found, choices=", ".join(self.keys), found=found, fix=fix)


def exactly_one(*keys: str) -> Callable[[type[T]], type[T]]:
    """Declare on a dataclass that exactly one of these keys is required."""
    return _declare(Choice(keys, at_least=1, at_most=1))


def at_most_one(*keys: str) -> Callable[[type[T]], type[T]]:
    """Declare on a dataclass that these keys exclude each other."""
    return _declare(Choice(keys, at_least=0, at_most=1))


def at_least_one(*keys: str) -> Callable[[type[T]], type[T]]:
    """Declare on a dataclass that at least one of these keys is required."""
    return _declare(Choice(keys, at_least=1, at_most=len(keys)))


def choices(of: type) -> tuple[Choice, ...]:
    """Return the groups that are declared on a dataclass."""
    declared: tuple[Choice, ...] = getattr(of, "__choices__", ())
    return declared


def _declare(choice: Choice) -> Callable[[type[T]], type[T]]:
    def declare(on: type[T]) -> type[T]:
        on.__choices__ = (choice, *choices(on))  # type: ignore[attr-defined]
        return on

    return declare
