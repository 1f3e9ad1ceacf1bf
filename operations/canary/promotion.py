"""What a promoted version has in the end: its measured share, and the routes that it did not get. Pure."""

from collections.abc import Mapping, Sequence
from math import floor

from operations.canary.analysis.checks import Measured
from operations.canary.fixed_routes import FixedRoute, staying


def promoted(to: str, fixed: Sequence[FixedRoute], measured: Mapping[str, Measured], window: float) -> str:
    """Say what the new version has in the end.

    Args:
        to: the new version.
        fixed: the routes that do not follow the weights.
        measured: what each version answered with all the weight at the new one; empty where not measured.
        window: seconds in which they did.
    """
    total = sum(each.requests for each in measured.values())
    mine = measured[to].requests if to in measured else 0
    others = staying(fixed, to)
    if others:
        has = "all the traffic that follows the weights"
    else:
        # Callers without a proxy, say, follow no weights.
        has = "all the traffic" if total and mine == total else "all the weight"
    got = f": {share(mine, total)} of {total:.0f} requests in the last {window:.0f} s" if total else ""
    said = f"{to} has {has}{got or '; its share was not measured'}"
    return f"{said}; {others}" if others else said


def share(part: float, total: float) -> str:
    """Write a share in percent, rounded down: 100 % is all of them."""
    return f"{floor(10_000 * part / total) / 100:g} %"
