"""The state of a canary, as it is shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from operations.canary.analysis.checks import Finding, Measured


@dataclass(frozen=True, kw_only=True)
class CanaryState:
    """The state at one moment."""

    to: str
    step: int
    """From 1."""
    steps: int
    phase: str
    """What the canary waits for."""
    left: float | None = None
    """Seconds until the step is over; None if unknown."""
    weights: Mapping[str, int]
    shares: Mapping[str, float] = field(default_factory=dict)
    """The measured share of each version over the step, in percent."""
    measured: Mapping[str, Measured] | None = None
    window: float = 0
    """Seconds of `measured`."""
    findings: Sequence[Finding] = ()
    failures: int = 0
    allowed: int = 0
    paused: bool = False
