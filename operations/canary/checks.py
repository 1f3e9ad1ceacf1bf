"""What must hold for the new version: figures in, verdict out. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from operations.canary.durations import seconds


class Verdict(StrEnum):
    """What a look at the figures says."""

    good = "good"
    bad = "bad"
    unknown = "unknown"
    """There is nothing to judge by."""


class Measured(Protocol):
    """What one version answered within a window."""

    @property
    def requests(self) -> float:
        """How many requests it had."""

    @property
    def failures(self) -> float:
        """How many of them got a 5xx."""

    def percentile(self, share: float) -> float | None:
        """Estimate the time below which a share (0 to 1) was answered, in ms; None without requests."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one check says, with the figures that made it say so."""

    check: str
    verdict: Verdict
    says: str


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What a value is held against. None of them where absent."""

    at_least: float | None = None
    at_most: float | None = None
    times_old: float | None = None
    below_old: float | None = None

    def breaches(self, value: float, old: float | None, unit: str) -> list[str]:
        """Name the bounds that a value does not keep. Without an old value there is nothing to compare."""
        found = []
        if self.at_least is not None and value < self.at_least:
            found.append(f"at least {self.at_least:g}{unit}")
        if self.at_most is not None and value > self.at_most:
            found.append(f"at most {self.at_most:g}{unit}")
        if old is not None and self.times_old is not None and value > old * self.times_old:
            found.append(f"at most {self.times_old:g} times the old version's {old:.4g}{unit}")
        if old is not None and self.below_old is not None and value < old - self.below_old:
            found.append(f"at most {self.below_old:g} points below the old version's {old:.4g}{unit}")
        return found

    def __str__(self) -> str:
        """Say them."""
        said = {
            "at least {:g}": self.at_least,
            "at most {:g}": self.at_most,
            "at most {:g} times the old version's": self.times_old,
            "at most {:g} points below the old version's": self.below_old,
        }
        return ", ".join(words.format(bound) for words, bound in said.items() if bound is not None)


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that must hold. Exactly one of percentile and promql, or neither for the success rate."""

    name: str
    unit: str
    bounds: Bounds
    percentile: float | None = None
    """0 to 1."""
    promql: str | None = None

    @property
    def compares(self) -> bool:
        """Whether it asks for the old version as well."""
        return self.bounds.times_old is not None or self.bounds.below_old is not None

    def value(self, measured: Measured) -> float | None:
        """Take the value from what a version answered; a query of the team's own is asked elsewhere."""
        if self.percentile is not None:
            return measured.percentile(self.percentile)
        return 100 * (1 - measured.failures / measured.requests) if measured.requests else None

    def judge(self, value: float | None, old: float | None) -> Finding:
        """Hold a value against the bounds."""
        if value is None:
            return Finding(check=self.name, verdict=Verdict.unknown, says="no data")
        breaches = self.bounds.breaches(value, old, self.unit)
        shown = f"{value:.4g}{self.unit}"
        if breaches:
            says = f"{shown}, and it must be {' and '.join(breaches)}"
            return Finding(check=self.name, verdict=Verdict.bad, says=says)
        alone = "; the old version has no figure to compare" if self.compares and old is None else ""
        beside = f" (old {old:.4g}{self.unit})" if self.compares and old is not None else ""
        return Finding(check=self.name, verdict=Verdict.good, says=f"{shown}{beside}{alone}")

    def __str__(self) -> str:
        """Say what must hold."""
        unit = self.unit.strip()
        return f"{self.name}: {self.bounds}{f' ({unit})' if unit else ''}"


def check(declared: Mapping[str, Any]) -> Check:
    """Read one check of the stack file."""
    if rate := declared.get("successRate"):
        bounds = Bounds(at_least=rate.get("atLeast"), below_old=rate.get("belowOld"))
        return Check(name="success rate", unit=" %", bounds=bounds)
    if latency := declared.get("latency"):
        share = latency.get("percentile", 99)
        at_most = latency.get("atMost")
        bounds = Bounds(at_most=at_most and seconds(at_most) * 1000, times_old=latency.get("timesOld"))
        return Check(name=f"p{share:g}", unit=" ms", bounds=bounds, percentile=share / 100)
    query = declared["query"]
    bounds = Bounds(
        at_least=query.get("atLeast"), at_most=query.get("atMost"), times_old=query.get("timesOld")
    )
    return Check(name=query["name"], unit="", bounds=bounds, promql=query["promql"])


def overall(findings: list[Finding]) -> Verdict:
    """Say one word for all: one bad is bad, and nothing known is nothing known."""
    verdicts = {each.verdict for each in findings}
    if Verdict.bad in verdicts:
        return Verdict.bad
    return Verdict.unknown if Verdict.unknown in verdicts else Verdict.good
