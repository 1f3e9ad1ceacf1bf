"""Exact answers about counts that chance made: so many of so many, where each happens alike. Pure.

Sums of the binomial distribution itself, no approximation: samples of a canary are often small, and the
shares that matter (1 % errors, the slowest 1 %) are where an approximation is worst.
"""

from math import exp, lgamma, log, log1p

NEGLIGIBLE = 1e-17
"""A term so small beside the sum changes no digit of it."""
PRECISION = 1e-6
"""Of a share: a thousandth of the smallest that a stack file can mean, 0.01 %, is ten times as much."""


def at_least(count: int, total: int, chance: float) -> float:
    """Return the probability that `count` or more of `total` happen, each with the same chance (0 to 1)."""
    if count <= 0 or chance >= 1:
        return 1.0
    if chance <= 0 or count > total:
        return 0.0
    if count <= total * chance:
        # Terms grow from here to the mean: the other end is the short one.
        return 1.0 - at_least(total - count + 1, total, 1 - chance)
    entry_points = lgamma(total + 1) - lgamma(count + 1) - lgamma(total - count + 1)
    term = exp(entry_points + count * log(chance) + (total - count) * log1p(-chance))
    odds, whole = chance / (1 - chance), term
    for each in range(count, total):
        term *= odds * (total - each) / (each + 1)
        whole += term
        if term < whole * NEGLIGIBLE:
            break
    return whole


def exceeds(count: int, total: int, share: float, error: float) -> bool:
    """Tell whether a count shows that more than a share (0 to 1) happens.

    Where exactly that share happens, such a count comes up at most with probability `error`.
    """
    return count > total * share and at_least(count, total, share) <= error


def highest_share(count: int, total: int, error: float) -> float:
    """Return the largest share (0 to 1) that a count leaves possible (Clopper and Pearson's upper bound).

    With a larger share, so few come up at most with probability `error`.
    """
    low, high = (count / total if total else 0.0), 1.0
    if count >= total:
        return 1.0
    while high - low > PRECISION:
        middle = (low + high) / 2
        if at_least(total - count, total, 1 - middle) > error:
            low = middle
        else:
            high = middle
    return high
