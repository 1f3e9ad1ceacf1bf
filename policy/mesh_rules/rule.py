"""What a law is, and what is said of a breach."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final, Literal

from mesh_rules.objects import Object, Value

PRODUCTION: Final = ("prod", "prod-*", "*-prod", "production")
"""Names of production stacks, where the policy config says nothing else."""


@dataclass(frozen=True, kw_only=True)
class Violation:
    """One place where an object breaks a law."""

    by: Object
    path: str
    value: Value
    fix: str
    """What to write there instead."""

    def __str__(self) -> str:
        """Lay it out for a terminal, under the law that Pulumi prints above."""
        return f"{self.by}\n  path   {self.path}\n  value  {shown(self.value)}\n  mend   {self.fix}"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A rule, how hard it is, and how a breach is found."""

    name: str
    description: str
    """The rule in one sentence. Pulumi prints it above each breach."""

    level: Literal["mandatory", "advisory"]
    """A mandatory law stops the update. An advisory one is for what may well be right elsewhere."""

    violations: Callable[[Sequence[Object]], Iterable[Violation]]
    """Finds the breaches in one object, or in all of a stack's."""

    example: str
    """The shortest thing that breaks it, in Markdown."""

    scope: Literal["object", "stack"] = "object"
    """An object is checked before it is touched; what objects say together, once all are known."""

    production: bool = False
    """Holds in production stacks only."""

    def broken_in(self, objects: Sequence[Object], settings: Mapping[str, Value]) -> Iterator[Violation]:
        """Find the breaches that the policy config does not put up with."""
        if self.production and not _any_matches(settings.get("production", PRODUCTION), objects[0].stack):
            return
        for violation in self.violations(objects):
            if not _any_matches(settings.get("exempt", ()), str(violation.by)):
                yield violation


def shown(value: Value) -> str:
    """Write a value on one line, as YAML would take it."""
    if isinstance(value, str):
        return value
    return "(none)" if value is None else json.dumps(value, default=str)


def _any_matches(patterns: Iterable[str], text: str) -> bool:
    return any(fnmatchcase(text, pattern) for pattern in patterns)
