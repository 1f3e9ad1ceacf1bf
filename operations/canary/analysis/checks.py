"""What must hold for the new version: figures in, verdict out. Pure.

A check calls a version bad where its figures show it, not where an estimate lies beyond a limit: requests
are a sample, and a histogram knows durations by its buckets alone. What cannot be told is not bad.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import inf
from typing import Any, Protocol

from operations.canary.analysis.binomial import exceeds, highest_share
from operations.canary.durations import seconds
from operations.metrics.histogram import Bucket, above, bounds, bucket

MILLISECONDS = 1000
LEAST_DIFFERENCE = "50ms"
"""As the model has it: components.model.canary.Latency.min_difference."""
INDEPENDENT = 2
"""So many durations a second tell something of their own: one pause of a pod or a node, of half a second say,
makes all requests slow that come in meanwhile, and hundreds of them are one event, not hundreds."""
WHOLE_COUNTS = 1e-9
"""Counts that Prometheus extrapolated are no whole numbers, and each is at least what was counted: rounded
down, after what floating point loses, there are no failures that nobody saw."""


class Verdict(StrEnum):
    """What a look at the figures says."""

    good = "good"
    bad = "bad"
    unsure = "unsure"
    """The figures lie beyond a limit, and are too few to show that the version does."""
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

    @property
    def durations(self) -> Mapping[float, float]:
        """How many took at most so many milliseconds, by that bound; infinity is the last one."""

    def percentile(self, share: float) -> float | None:
        """Estimate the time below which a share (0 to 1) was answered, in ms; None without requests."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one check says, with the figures that made it say so."""

    check: str
    verdict: Verdict
    description: str


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that must hold."""

    name: str
    promql: str | None = None
    """The team's own query, where it is one; else the figures of the versions are judged."""

    @property
    def compares(self) -> bool:
        """Whether it asks for the old version as well."""
        raise NotImplementedError

    def _judged(self, shown: str, broken: list[str], *, compared: bool) -> Finding:
        if broken:
            description = f"{shown}, and it must be {' and '.join(broken)}"
            return Finding(check=self.name, verdict=Verdict.bad, description=description)
        alone = "; the old version has no figure to compare" if self.compares and not compared else ""
        return Finding(check=self.name, verdict=Verdict.good, description=f"{shown}{alone}")

    def _no_data(self) -> Finding:
        return Finding(check=self.name, verdict=Verdict.unknown, description="no data")


@dataclass(frozen=True, kw_only=True)
class SuccessRate(Check):
    """The share of answers without a 5xx, in percent."""

    name: str = "success rate"
    at_least: float | None = None
    below_old: float | None = None
    """Percentage points."""

    @property
    def compares(self) -> bool:
        """Whether it asks for the old version as well."""
        return self.below_old is not None

    def judge(self, new: Measured, old: Measured | None, *, error: float, window: float) -> Finding:  # noqa: ARG002
        """Find more failures than the limits allow.

        A limit is exceeded where so many failures come up with at most probability `error` in a version that
        just keeps it. What the old version's count leaves possible counts for the old version.
        """
        requests, failures = round(new.requests), _whole(new.failures)
        if not requests:
            return self._no_data()
        limits: dict[str, float] = {}
        shown = f"{100 * (1 - failures / requests):.4g} %"
        if self.at_least is not None:
            limits[f"at least {self.at_least:g} %"] = 1 - self.at_least / 100
        if self.below_old is not None and old:
            highest = highest_share(_whole(old.failures), round(old.requests), error)
            succeeded = f"{100 * (1 - old.failures / old.requests):.4g} %"
            words = f"at most {self.below_old:g} points below the old version's {succeeded}"
            limits[words] = highest + self.below_old / 100
            shown += f" (old {succeeded})"
        broken = [words for words, share in limits.items() if exceeds(failures, requests, share, error)]
        beyond = [words for words, share in limits.items() if failures > requests * share]
        if beyond and not broken:
            description = (
                f"{shown}, {failures} of {requests} failed: too few to tell it from {' and '.join(beyond)}"
            )
            return Finding(check=self.name, verdict=Verdict.unsure, description=description)
        return self._judged(shown, broken, compared=old is not None)

    def __str__(self) -> str:
        """Say what must hold."""
        said = {
            "at least {:g} %": self.at_least,
            "at most {:g} points below the old version's": self.below_old,
        }
        return f"{self.name}: {_limits(said)}"


@dataclass(frozen=True, kw_only=True)
class Latency(Check):
    """A percentile of the time to answer, in milliseconds.

    A percentile is known by the bucket that it lies in. A limit within a bucket is its upper bound, so that
    a version is bad only where the percentile's whole bucket lies beyond the limit.
    """

    share: float
    """0 to 1."""
    at_most: float | None = None
    times_old: float | None = None
    min_difference: float = seconds(LEAST_DIFFERENCE) * MILLISECONDS
    """By so much it must be slower than the old version, whatever the ratio."""

    @property
    def compares(self) -> bool:
        """Whether it asks for the old version as well."""
        return self.times_old is not None

    def judge(self, new: Measured, old: Measured | None, *, error: float, window: float) -> Finding:
        """Find a percentile that is surely beyond the limits, by what was measured in a window of seconds.

        p99 is beyond a bound where more than 1 % of the requests are: more of them than come up with at most
        probability `error` where it is not. The same holds against the share of the old version's requests
        that are beyond that bound, so that neither version's sample is taken for the truth.
        """
        mine = bucket(new.durations, self.share)
        if mine is None:
            return self._no_data()
        theirs = bucket(old.durations, self.share) if old else None
        broken = []
        shown = f"{mine} ms"
        if self.at_most is not None:
            limit = next(bounds(new.durations, self.at_most), None)
            if limit is not None and exceeds(*_beyond(new, limit, window), 1 - self.share, error):
                broken.append(f"at most {self.at_most:g} ms")
            elif mine.up_to > self.at_most:
                shown += f" (the histogram has no bound at {self.at_most:g} ms to tell by)"
        if self.times_old is not None and old and theirs:
            shown += f" (old {theirs} ms)"
            limit = next(self._bounds(new, old, theirs), None)
            if limit is not None:
                beyond = max(1 - self.share, highest_share(*_beyond(old, limit, window), error))
                if exceeds(*_beyond(new, limit, window), beyond, error):
                    broken.append(f"at most {self.times_old:g} times the old version's {theirs} ms")
        return self._judged(shown, broken, compared=theirs is not None)

    def _bounds(self, new: Measured, old: Measured, theirs: Bucket) -> Iterator[float]:
        """List the bounds that are too slow beside the bucket of the old version's percentile."""
        ratio = self.times_old or 0
        limit = ratio * theirs.up_to
        if ratio >= 1:
            limit = max(limit, theirs.up_to + self.min_difference)
        # Buckets that touch are not different: the next one begins where the old version's ends.
        return (
            bound
            for bound in bounds(new.durations, limit)
            if bound in old.durations and (ratio < 1 or bound > theirs.up_to)
        )

    def __str__(self) -> str:
        """Say what must hold."""
        said = {"at most {:g} ms": self.at_most, "at most {:g} times the old version's": self.times_old}
        least = f", or less than {self.min_difference:g} ms above it" if self.compares else ""
        return f"{self.name}: {_limits(said)}{least}"


@dataclass(frozen=True, kw_only=True)
class Query(Check):
    """A number that Prometheus gives for a query of the team's own: it is taken as it is."""

    promql: str
    at_least: float | None = None
    at_most: float | None = None
    times_old: float | None = None

    @property
    def compares(self) -> bool:
        """Whether it asks for the old version as well."""
        return self.times_old is not None

    def judge(self, value: float | None, old: float | None) -> Finding:
        """Hold a value against the limits."""
        if value is None:
            return self._no_data()
        broken = []
        if self.at_least is not None and value < self.at_least:
            broken.append(f"at least {self.at_least:g}")
        if self.at_most is not None and value > self.at_most:
            broken.append(f"at most {self.at_most:g}")
        if self.times_old is not None and old is not None and value > old * self.times_old:
            broken.append(f"at most {self.times_old:g} times the old version's {old:.4g}")
        beside = f" (old {old:.4g})" if self.compares and old is not None and not broken else ""
        return self._judged(f"{value:.4g}{beside}", broken, compared=old is not None)

    def __str__(self) -> str:
        """Say what must hold."""
        said = {
            "at least {:g}": self.at_least,
            "at most {:g}": self.at_most,
            "at most {:g} times the old version's": self.times_old,
        }
        return f"{self.name}: {_limits(said)}"


def check(declared: Mapping[str, Any]) -> SuccessRate | Latency | Query:
    """Read one check of the stack file."""
    if rate := declared.get("successRate"):
        return SuccessRate(at_least=rate.get("atLeast"), below_old=rate.get("belowOld"))
    if latency := declared.get("latency"):
        percent = latency.get("percentile", 99)
        at_most = latency.get("atMost")
        return Latency(
            name=f"p{percent:g}",
            share=percent / 100,
            at_most=at_most and seconds(at_most) * MILLISECONDS,
            times_old=latency.get("timesOld"),
            min_difference=seconds(latency.get("minDifference", LEAST_DIFFERENCE)) * MILLISECONDS,
        )
    query = declared["query"]
    return Query(
        name=query["name"],
        promql=query["promql"],
        at_least=query.get("atLeast"),
        at_most=query.get("atMost"),
        times_old=query.get("timesOld"),
    )


def overall(findings: list[Finding]) -> Verdict:
    """Say one word for all: one bad is bad, nothing known is nothing known, and good is what all are."""
    verdicts = {each.verdict for each in findings}
    return next(
        (each for each in (Verdict.bad, Verdict.unknown, Verdict.unsure) if each in verdicts), Verdict.good
    )


def _whole(count: float) -> int:
    return int(count + WHOLE_COUNTS)


def _beyond(measured: Measured, bound: float, window: float) -> tuple[int, int]:
    """Count the durations beyond a bound, and all of them: those that tell something of their own."""
    total = measured.durations.get(inf, 0.0)
    independent = min(total, window * INDEPENDENT)
    share = above(measured.durations, bound) / total if total else 0.0
    return _whole(share * independent), round(independent)


def _limits(said: Mapping[str, float | None]) -> str:
    return ", ".join(words.format(bound) for words, bound in said.items() if bound is not None)
