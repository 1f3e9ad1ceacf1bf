"""A rule, and a violation of it."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final, Literal

from mesh_rules.objects import Object, Value

PRODUCTION: Final = ("prod", "prod-*", "*-prod", "production")
"""Names of production stacks, unless the policy config sets others."""


@dataclass(frozen=True, kw_only=True)
class Violation:
    """A field of an object that breaks a rule."""

    by: Object
    path: str
    value: Value
    fix: str
    """What to change."""

    def __str__(self) -> str:
        """Format it for a terminal; Pulumi prints the rule above it."""
        return f"{self.by}\n  path   {self.path}\n  value  {shown(self.value)}\n  fix    {self.fix}"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A rule, its level, and the function that finds its violations."""

    name: str
    description: str
    """The rule in one sentence. Pulumi prints it above each violation."""

    level: Literal["mandatory", "advisory"]
    """A mandatory rule stops the update. An advisory one has reasonable exceptions."""

    violations: Callable[[Sequence[Object]], Iterable[Violation]]
    """Finds the violations in one object, or in all objects of a stack."""

    example: str
    """A short violation, in Markdown."""

    scope: Literal["object", "stack"] = "object"
    """An object is checked before it is changed; a stack once all of its objects are known."""

    production: bool = False
    """Whether it applies to production stacks only."""

    def broken_in(self, objects: Sequence[Object], settings: Mapping[str, Value]) -> Iterator[Violation]:
        """Find the violations, without those that the policy config exempts."""
        if self.production and not _any_matches(settings.get("production", PRODUCTION), objects[0].stack):
            return
        for violation in self.violations(objects):
            if not _any_matches(settings.get("exempt", ()), str(violation.by)):
                yield violation


def shown(value: Value) -> str:
    """Format a value on one line, as in YAML."""
    if isinstance(value, str):
        return value
    return "(none)" if value is None else json.dumps(value, default=str)


def _any_matches(patterns: Iterable[str], text: str) -> bool:
    return any(fnmatchcase(text, pattern) for pattern in patterns)
