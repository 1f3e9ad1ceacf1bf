"""What a histogram of Prometheus knows of the durations that it counted, and what it does not."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """Where a percentile lies. Where in it, the histogram does not know."""

    above: float
    """The bound of the bucket before it; 0 where there is none."""
    up_to: float
    """Its own bound; infinity for the last one."""
    rank: float
    """How far into the bucket the percentile is, 0 to 1, by the count of observations."""

    def __str__(self) -> str:
        """Write its bounds."""
        return f"over {self.above:g}" if math.isinf(self.up_to) else f"{self.above:g} to {self.up_to:g}"


def bucket(buckets: Mapping[float, float], share: float) -> Bucket | None:
    """Find the bucket in which a percentile lies; None where nothing was observed.

    Args:
        buckets: counts by upper bound, each with all that are below it, and infinity as the last.
        share: 0.99 for p99.
    """
    total = buckets.get(math.inf, 0.0)
    if not total:
        return None
    rank, below, seen = share * total, 0.0, 0.0
    for bound in sorted(buckets):
        count = max(seen, buckets[bound])  # growth that was extrapolated can fall by a trifle
        if count >= rank and count > seen:
            return Bucket(above=below, up_to=bound, rank=(rank - seen) / (count - seen))
        if math.isinf(bound):
            break
        below, seen = bound, count
    return Bucket(above=below, up_to=math.inf, rank=1)


def percentile(buckets: Mapping[float, float], share: float) -> float | None:
    """Estimate the value below which a share (0 to 1) of all observations lies; None where there is none.

    As Prometheus' own `histogram_quantile`: within a bucket observations count as evenly spread. Beyond the
    last finite bound nothing is known: that bound is the answer. To show, not to judge by: two estimates
    within one bucket differ by what nobody measured.
    """
    found = bucket(buckets, share)
    if found is None:
        return None
    return found.above if math.isinf(found.up_to) else found.above + (found.up_to - found.above) * found.rank


def bounds(buckets: Mapping[float, float], least: float) -> Iterator[float]:
    """List the finite bounds from a value on, in order."""
    return (bound for bound in sorted(buckets) if least <= bound < math.inf)


def above(buckets: Mapping[float, float], bound: float) -> float:
    """Count the observations above one of the bounds."""
    return max(0.0, buckets.get(math.inf, 0.0) - buckets[bound])
