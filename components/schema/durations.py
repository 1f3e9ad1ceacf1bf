"""Durations in Go's format, as Istio and Envoy parse them. No I/O."""

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from components.schema.constraints import Constraint
from components.schema.issues import Issue, Path
from components.schema.messages import INVALID_FORMAT

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
    """Parse a duration in Go's format: `1h30m`, `500ms`, `1.5s`. Returns None if it is invalid."""
    if not duration or _TERM.sub("", duration):
        return None
    return sum((Fraction(number) * _UNITS[unit] for number, unit in _TERM.findall(duration)), Fraction())


@dataclass(frozen=True)
class Duration(Constraint):
    """A duration in Go's format, a multiple of `unit`, which is also the shortest.

    `none` is a further accepted value, which means no limit.
    """

    unit: str = "1ms"
    longest: str = "24h"
    example: str = "2s"
    none: str | None = None

    @property
    def rule(self) -> str:
        """The accepted durations as text."""
        instead = "" if self.none is None else f", or {self.none}"
        return (
            f"a duration in Go's format (1h30m, 10s, 500ms), a multiple of {self.unit}, "
            f"from {self.unit} to {self.longest}{instead}"
        )

    def issue(self, value: object, path: Path, example: object = None, /) -> Issue | None:
        """Suggest the example."""
        if self.none is not None and seconds(str(value)) == seconds(self.none):
            return None
        unit, longest, length = seconds(self.unit), seconds(self.longest), seconds(str(value))
        if unit and longest and length and unit <= length <= longest and (length / unit).denominator == 1:
            return None
        return INVALID_FORMAT.at(path, value, description=self.rule, example=example or self.example)
