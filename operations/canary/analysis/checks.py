"""The checks of the new version: metrics in, finding out. Pure.

A version is bad if its metrics show it, not if an estimate is beyond a limit: requests are a sample, and a
histogram has durations by bucket only. Without enough data the verdict is `unsure` or `unknown`, never bad.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import inf
from typing import Protocol

from components.model import canary as model
from components.schema.durations import seconds
from operations.canary.analysis.binomial import exceeds, highest_share
from operations.metrics.histogram import Bucket, above, bounds, bucket

MILLISECONDS = 1000
INDEPENDENT = 2
"""How many durations a second count as independent: one pause of a pod or a node, half a second for example,
delays all requests that arrive meanwhile, and they are one event."""
WHOLE_COUNTS = 1e-9
"""Prometheus extrapolates counts upwards to fractions. Rounding down, with this tolerance for floating point,
adds no failure that was not counted."""


class Verdict(StrEnum):
    """The result of a check."""

    good = "good"
    bad = "bad"
    unsure = "unsure"
    """The metrics are beyond a limit, and too few to show that the version is."""
    unknown = "unknown"
    """There is no data."""


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
    """The verdict of one check, with the metrics that led to it."""

    check: str
    verdict: Verdict
    description: str


@dataclass(frozen=True, kw_only=True)
class Check:
    """One condition on the new version."""

    name: str
    promql: str | None = None
    """A custom query; None: the metrics of the versions are judged."""

    @property
    def compares(self) -> bool:
        """Whether it needs the old version as well."""
        raise NotImplementedError

    def _judged(self, shown: str, broken: list[str], *, compared: bool) -> Finding:
        if broken:
            description = f"{shown}, and it must be {' and '.join(broken)}"
            return Finding(check=self.name, verdict=Verdict.bad, description=description)
        alone = "; the old version has no data to compare with" if self.compares and not compared else ""
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
        """Whether it needs the old version as well."""
        return self.below_old is not None

    def judge(self, new: Measured, old: Measured | None, *, error: float, window: float) -> Finding:  # noqa: ARG002
        """Return bad if there are more failures than the limits allow.

        A limit is exceeded if a version exactly at it has so many failures with at most the probability
        `error`. For the old version the upper confidence limit of its failures is used.
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
            limit = " and ".join(beyond)
            description = f"{shown}, {failures} of {requests} failed: too few to distinguish from {limit}"
            return Finding(check=self.name, verdict=Verdict.unsure, description=description)
        return self._judged(shown, broken, compared=old is not None)

    def __str__(self) -> str:
        """Describe the condition."""
        limits = {
            "at least {:g} %": self.at_least,
            "at most {:g} points below the old version's": self.below_old,
        }
        return f"{self.name}: {_limits(limits)}"


@dataclass(frozen=True, kw_only=True)
class Latency(Check):
    """A percentile of the time to answer, in milliseconds.

    The bucket of a percentile is known, and no more. A limit within a bucket is its upper bound: a version is
    bad if the percentile's whole bucket is beyond the limit.
    """

    share: float
    """0 to 1."""
    at_most: float | None = None
    times_old: float | None = None
    min_difference: float
    """A smaller difference to the old version is ignored, whatever the ratio."""

    @property
    def compares(self) -> bool:
        """Whether it needs the old version as well."""
        return self.times_old is not None

    def judge(self, new: Measured, old: Measured | None, *, error: float, window: float) -> Finding:
        """Return bad if the percentile is beyond the limits, by the durations of a window of seconds.

        p99 is beyond a bound if more than 1 % of the requests are, by a count that has at most the
        probability `error` otherwise. Compared with the old version, the share is the upper confidence limit
        of its requests beyond that bound, so that neither sample is taken as exact.
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
                shown += f" (the histogram has no bound at {self.at_most:g} ms)"
        if self.times_old is not None and old and theirs:
            shown += f" (old {theirs} ms)"
            limit = next(self._bounds(new, old, theirs), None)
            if limit is not None:
                beyond = max(1 - self.share, highest_share(*_beyond(old, limit, window), error))
                if exceeds(*_beyond(new, limit, window), beyond, error):
                    broken.append(f"at most {self.times_old:g} times the old version's {theirs} ms")
        return self._judged(shown, broken, compared=theirs is not None)

    def _bounds(self, new: Measured, old: Measured, theirs: Bucket) -> Iterator[float]:
        """List the bounds that are too slow compared with the bucket of the old version's percentile."""
        ratio = self.times_old or 0
        limit = ratio * theirs.up_to
        if ratio >= 1:
            limit = max(limit, theirs.up_to + self.min_difference)
        # The next bucket begins where the old version's ends: adjacent buckets are not different.
        return (
            bound
            for bound in bounds(new.durations, limit)
            if bound in old.durations and (ratio < 1 or bound > theirs.up_to)
        )

    def __str__(self) -> str:
        """Describe the condition."""
        limits = {"at most {:g} ms": self.at_most, "at most {:g} times the old version's": self.times_old}
        least = f", or less than {self.min_difference:g} ms above it" if self.compares else ""
        return f"{self.name}: {_limits(limits)}{least}"


@dataclass(frozen=True, kw_only=True)
class Query(Check):
    """A number that Prometheus returns for a custom query, compared as it is."""

    promql: str
    at_least: float | None = None
    at_most: float | None = None
    times_old: float | None = None

    @property
    def compares(self) -> bool:
        """Whether it needs the old version as well."""
        return self.times_old is not None

    def judge(self, value: float | None, old: float | None) -> Finding:
        """Compare a value with the limits."""
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
        """Describe the condition."""
        limits = {
            "at least {:g}": self.at_least,
            "at most {:g}": self.at_most,
            "at most {:g} times the old version's": self.times_old,
        }
        return f"{self.name}: {_limits(limits)}"


def check(declared: model.Check) -> SuccessRate | Latency | Query:
    """Make one check of the plan."""
    if rate := declared.success_rate:
        return SuccessRate(at_least=rate.at_least, below_old=rate.below_old)
    if latency := declared.latency:
        return Latency(
            name=f"p{latency.percentile:g}",
            share=latency.percentile / 100,
            at_most=_milliseconds(latency.at_most) if latency.at_most else None,
            times_old=latency.times_old,
            min_difference=_milliseconds(latency.min_difference),
        )
    if query := declared.query:
        return Query(
            name=query.name,
            promql=query.promql,
            at_least=query.at_least,
            at_most=query.at_most,
            times_old=query.times_old,
        )
    raise ValueError("a check without a condition")


def overall(findings: Sequence[Finding]) -> Verdict:
    """Combine findings: the worst verdict, in the order bad, unknown, unsure, good."""
    verdicts = {each.verdict for each in findings}
    return next(
        (each for each in (Verdict.bad, Verdict.unknown, Verdict.unsure) if each in verdicts), Verdict.good
    )


def _milliseconds(duration: str) -> float:
    return float((seconds(duration) or 0) * MILLISECONDS)


def _whole(count: float) -> int:
    return int(count + WHOLE_COUNTS)


def _beyond(measured: Measured, bound: float, window: float) -> tuple[int, int]:
    """Count the independent durations beyond a bound, and all independent durations."""
    total = measured.durations.get(inf, 0.0)
    independent = min(total, window * INDEPENDENT)
    share = above(measured.durations, bound) / total if total else 0.0
    return _whole(share * independent), round(independent)


def _limits(limits: Mapping[str, float | None]) -> str:
    return ", ".join(words.format(bound) for words, bound in limits.items() if bound is not None)
