"""Percentiles of a histogram, as Prometheus' own `histogram_quantile` estimates them."""

import math
from collections.abc import Mapping


def percentile(buckets: Mapping[float, float], share: float) -> float | None:
    """Estimate the value below which a share (0 to 1) of all observations lies; None where there is none.

    Args:
        buckets: counts by upper bound, each with all that are below it, and infinity as the last.
        share: 0.99 for p99.

    Within a bucket observations count as evenly spread. Beyond the last finite bound nothing is known: that
    bound is the answer.
    """
    total = buckets.get(math.inf, 0.0)
    if not total:
        return None
    rank, below, seen = share * total, 0.0, 0.0
    for bound in sorted(buckets):
        count = max(seen, buckets[bound])  # growth that was extrapolated can fall by a trifle
        if count >= rank and count > seen:
            return below if math.isinf(bound) else below + (bound - below) * (rank - seen) / (count - seen)
        if math.isinf(bound):
            break
        below, seen = bound, count
    return below
