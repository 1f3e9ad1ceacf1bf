"""Whether the measured split of traffic is the wanted one. Pure statistics.

Each request goes to a version by itself, with the chance that its weight says: Envoy draws for each. So the
count of a version is binomial, and the test is exact: the measured count must lie between the two counts
that leave half of the error on either side. With several versions each gets its part of the error
(Bonferroni), so that all of them together agree as often as the confidence says.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, lgamma, log, sqrt

FAR = 12
"""Standard deviations beyond which nothing adds up to anything: less than 1e-30 of all."""


@dataclass(frozen=True, kw_only=True)
class Share:
    """How often one version was met, and how often it should have been."""

    version: str
    wanted: float
    """0 to 1."""
    count: int
    total: int
    lowest: int
    """The fewest that agree with the wanted share."""
    highest: int

    @property
    def agrees(self) -> bool:
        """Whether chance explains the difference."""
        return self.lowest <= self.count <= self.highest

    def __str__(self) -> str:
        """Say it with figures."""
        measured = 100 * self.count / self.total if self.total else 0
        return (
            f"{self.version} {measured:.1f} % ({self.count} of {self.total}; "
            f"{self.lowest} to {self.highest} agree with {100 * self.wanted:g} %)"
        )


def compare(counts: Mapping[str, float], weights: Mapping[str, int], confidence: float) -> list[Share]:
    """Hold counts against weights that sum to 100, with a confidence in percent.

    A version that nobody should meet agrees with no request at all.
    """
    total = round(sum(counts.get(version, 0) for version in weights))
    divided = [version for version, weight in weights.items() if weight] or list(weights)
    # Of two versions one count says what the other is: that is one question, not two.
    questions = max(1, len(divided) - 1) if len(divided) == 2 else len(divided)  # noqa: PLR2004
    error = (1 - confidence / 100) / questions
    shares = []
    for version, weight in weights.items():
        lowest, highest = agreeing(total, weight / 100, error)
        count = min(total, round(counts.get(version, 0)))
        share = Share(
            version=version,
            wanted=weight / 100,
            count=count,
            total=total,
            lowest=lowest,
            highest=highest,
        )
        shares.append(share)
    return shares


def agreeing(total: int, chance: float, error: float) -> tuple[int, int]:
    """Find the fewest and the most of `total` that agree with a chance, with half the error on each side."""
    if chance <= 0:
        return 0, 0
    if chance >= 1:
        return total, total
    lowest = _lowest(total, chance, error / 2)
    highest = total - _lowest(total, 1 - chance, error / 2)
    return lowest, highest


def _lowest(total: int, chance: float, tail: float) -> int:
    """Find the smallest count below which at most `tail` of all draws lie."""
    reach = FAR * (sqrt(total * chance * (1 - chance)) + FAR)
    count = max(0, int(total * chance - reach))
    below = 0.0
    while count < total:
        below += _exactly(count, total, chance)
        if below > tail:
            break
        count += 1
    return count


def _exactly(count: int, total: int, chance: float) -> float:
    """Tell how likely exactly so many are."""
    entry_points = lgamma(total + 1) - lgamma(count + 1) - lgamma(total - count + 1)
    return exp(entry_points + count * log(chance) + (total - count) * log(1 - chance))


def telling(before: float, after: float, confidence: float) -> int:
    """Count the requests of which a share `before` and a share `after` have no count in common.

    So many have to be measured, or a split that has not changed yet could pass for the wanted one.
    """
    error = 1 - confidence / 100
    low, high = sorted((before, after))
    if low == high:
        return 1
    most = 1
    while agreeing(most, low, error)[1] >= agreeing(most, high, error)[0]:
        most *= 2
    least = most // 2
    while most - least > 1:
        middle = (least + most) // 2
        if agreeing(middle, low, error)[1] >= agreeing(middle, high, error)[0]:
            least = middle
        else:
            most = middle
    return most
