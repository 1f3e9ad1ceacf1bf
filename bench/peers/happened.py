"""What callers saw of a release, told from their answers alone. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from bench.answers import Answer, changed
from operations.canary.analysis.binomial import agreeing

MARGIN_SECONDS: Final = 0.5
"""Left out at both ends of a step: the proxy's workers take a change one after the other."""
CONFIDENCE: Final = 0.99


@dataclass(frozen=True, kw_only=True)
class Split:
    """What a step gave the new version."""

    weight: int
    """Percent."""
    count: int
    """Requests that it answered."""
    total: int

    @property
    def bounds(self) -> tuple[int, int]:
        """The counts that chance leaves in 99 of 100 cases."""
        return agreeing(self.total, self.weight / 100, 1 - CONFIDENCE)

    @property
    def agrees(self) -> bool:
        """Whether the count lies between them."""
        lowest, highest = self.bounds
        return lowest <= self.count <= highest


def promoted(
    answers: Sequence[Answer], new: str, old: str, steps: Sequence[int]
) -> tuple[float, list[Split]]:
    """Tell when the old version was asked last, and how the steps before 100 % divided.

    Raises:
        ValueError: the answers do not show these steps.
    """
    moments = [_first(answers, new)]
    last = _last(answers, old)
    *divided, _ = steps
    for before, after in pairwise(divided):
        within = [each for each in answers if moments[-1] <= each.asked <= last]
        moments.append(changed(within, new, before / 100, after / 100))
    ends = [*moments[1:], last]
    splits = [
        _split(answers, new, weight, begins, end)
        for weight, begins, end in zip(divided, moments, ends, strict=True)
    ]
    return last, splits


def taken_back(answers: Sequence[Answer], new: str, weight: int) -> tuple[float, float, Split]:
    """Tell when the new version gave its first bad answer, when its last one, and how its step divided.

    Raises:
        ValueError: it never answered, or never badly.
    """
    bad = _first([each for each in answers if not each.good], new)
    last = _last(answers, new)
    return bad, last, _split(answers, new, weight, _first(answers, new), last)


def _first(answers: Sequence[Answer], version: str) -> float:
    return min(each.asked for each in answers if each.version == version)


def _last(answers: Sequence[Answer], version: str) -> float:
    return max(each.asked for each in answers if each.version == version)


def _split(answers: Sequence[Answer], new: str, weight: int, begins: float, ends: float) -> Split:
    within = [
        each
        for each in answers
        if each.version and begins + MARGIN_SECONDS <= each.asked <= ends - MARGIN_SECONDS
    ]
    return Split(weight=weight, count=sum(each.version == new for each in within), total=len(within))
