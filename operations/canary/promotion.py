"""Describes a promoted version: its measured share, and the routes that still use other versions. Pure."""

from collections.abc import Mapping, Sequence
from math import floor

from operations.canary.analysis.checks import Measured
from operations.canary.fixed_routes import FixedRoute, staying


def promoted(to: str, fixed: Sequence[FixedRoute], measured: Mapping[str, Measured], window: float) -> str:
    """Describe the new version's traffic after the promotion.

    Args:
        to: the new version.
        fixed: the routes that do not follow the weights.
        measured: the metrics of each version in the last step; empty if not measured.
        window: seconds of the metrics.
    """
    total = sum(each.requests for each in measured.values())
    mine = measured[to].requests if to in measured else 0
    others = staying(fixed, to)
    if others:
        has = "all the traffic that follows the weights"
    else:
        # Callers without a proxy, for example, do not follow the weights.
        has = "all the traffic" if total and mine == total else "all the weight"
    got = f": {share(mine, total)} of {total:.0f} requests in the last {window:.0f} s" if total else ""
    result = f"{to} has {has}{got or '; its share was not measured'}"
    return f"{result}; {others}" if others else result


def share(part: float, total: float) -> str:
    """Write a share in percent, rounded down: 100 % is all of them."""
    return f"{floor(10_000 * part / total) / 100:g} %"
