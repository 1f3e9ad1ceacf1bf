"""Exact binomial probabilities and confidence limits. Pure.

The distribution is summed, not approximated: samples of a canary are often small, and an approximation is
worst at the shares that matter (1 % errors, the slowest 1 %).
"""

from math import exp, lgamma, log, log1p, sqrt

NEGLIGIBLE = 1e-17
"""A term this small relative to the sum changes no digit of it."""
PRECISION = 1e-6
"""Of a share: a hundredth of the smallest one that a stack file can contain, 0.01 %."""
FAR = 12
"""Standard deviations from the mean beyond which all terms together are below 1e-30."""


def at_least(count: int, total: int, chance: float) -> float:
    """Return the probability that `count` or more of `total` happen, each with the same chance (0 to 1)."""
    if count <= 0 or chance >= 1:
        return 1.0
    if chance <= 0 or count > total:
        return 0.0
    if count <= total * chance:
        # Terms grow up to the mean, so the sum from the other end has fewer terms.
        return 1.0 - at_least(total - count + 1, total, 1 - chance)
    term = exactly(count, total, chance)
    odds, whole = chance / (1 - chance), term
    for each in range(count, total):
        term *= odds * (total - each) / (each + 1)
        whole += term
        if term < whole * NEGLIGIBLE:
            break
    return whole


def exactly(count: int, total: int, chance: float) -> float:
    """Return the probability that exactly `count` of `total` happen (0 < chance < 1)."""
    combinations = lgamma(total + 1) - lgamma(count + 1) - lgamma(total - count + 1)
    return exp(combinations + count * log(chance) + (total - count) * log1p(-chance))


def exceeds(count: int, total: int, share: float, error: float) -> bool:
    """Return whether a count shows that the true share is above `share` (0 to 1).

    If the true share is `share`, such a count has at most the probability `error`.
    """
    return count > total * share and at_least(count, total, share) <= error


def highest_share(count: int, total: int, error: float) -> float:
    """Return the upper confidence limit of a share (0 to 1), by Clopper and Pearson.

    With a larger share, a count this low has at most the probability `error`.
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


def agreeing(total: int, chance: float, error: float) -> tuple[int, int]:
    """Return the lowest and highest count that agree with a chance; half the error is on each side."""
    if chance <= 0:
        return 0, 0
    if chance >= 1:
        return total, total
    return _lowest(total, chance, error / 2), total - _lowest(total, 1 - chance, error / 2)


def _lowest(total: int, chance: float, tail: float) -> int:
    """Find the smallest count below which the probability is at most `tail`."""
    reach = FAR * (sqrt(total * chance * (1 - chance)) + FAR)
    count = max(0, int(total * chance - reach))
    below = 0.0
    while count < total:
        below += exactly(count, total, chance)
        if below > tail:
            break
        count += 1
    return count
