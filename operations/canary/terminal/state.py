"""Where a canary stands at a moment, for whoever watches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from operations.canary.analysis.checks import Finding, Measured
from operations.canary.analysis.split import Share


@dataclass(frozen=True, kw_only=True)
class CanaryState:
    """What a person wants to see."""

    to: str
    step: int
    """From 1."""
    steps: int
    phase: str
    """What is waited for."""
    left: float | None = None
    """Seconds until the step is over; None where nobody knows."""
    weights: Mapping[str, int]
    shares: Sequence[Share] = ()
    measured: Mapping[str, Measured] | None = None
    window: float = 0
    """Seconds that the figures are of."""
    findings: Sequence[Finding] = ()
    failures: int = 0
    allowed: int = 0
    paused: bool = False
