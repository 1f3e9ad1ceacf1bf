"""Percentiles from a histogram of Prometheus, and their precision."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """The bucket of a percentile. The histogram does not contain the position in the bucket."""

    above: float
    """The upper bound of the bucket before it; 0 for the first one."""
    up_to: float
    """Its upper bound; infinity for the last one."""
    rank: float
    """The fraction of the bucket's observations below the percentile, 0 to 1."""

    def __str__(self) -> str:
        """Return its bounds."""
        return f"over {self.above:g}" if math.isinf(self.up_to) else f"{self.above:g} to {self.up_to:g}"


def bucket(buckets: Mapping[float, float], share: float) -> Bucket | None:
    """Find the bucket of a percentile; None without observations.

    Args:
        buckets: cumulative counts by upper bound; the last is infinity.
        share: 0.99 for p99.
    """
    total = buckets.get(math.inf, 0.0)
    if not total:
        return None
    rank, below, seen = share * total, 0.0, 0.0
    for bound in sorted(buckets):
        count = max(seen, buckets[bound])  # extrapolated counts may decrease slightly
        if count >= rank and count > seen:
            return Bucket(above=below, up_to=bound, rank=(rank - seen) / (count - seen))
        if math.isinf(bound):
            break
        below, seen = bound, count
    return Bucket(above=below, up_to=math.inf, rank=1)


def percentile(buckets: Mapping[float, float], share: float) -> float | None:
    """Estimate the value below which a share (0 to 1) of all observations is; None without observations.

    Like Prometheus' `histogram_quantile`, it interpolates linearly within a bucket, and returns the last
    finite bound for the last bucket. Use it to show a value, not to judge it: differences within one bucket
    are not measured.
    """
    found = bucket(buckets, share)
    if found is None:
        return None
    return found.above if math.isinf(found.up_to) else found.above + (found.up_to - found.above) * found.rank


def bounds(buckets: Mapping[float, float], least: float) -> Iterator[float]:
    """List the finite bounds that are not less than a value, in ascending order."""
    return (bound for bound in sorted(buckets) if least <= bound < math.inf)


def above(buckets: Mapping[float, float], bound: float) -> float:
    """Count the observations above one of the bounds."""
    return max(0.0, buckets.get(math.inf, 0.0) - buckets[bound])
