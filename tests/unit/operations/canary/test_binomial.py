"""Exact probabilities of counts, held against sums that anybody can check."""

from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operations.canary.analysis.binomial import at_least, exceeds, highest_share

TOTALS = st.integers(1, 300)
CHANCES = st.floats(0.001, 0.999)


def summed(count: int, total: int, chance: float) -> float:
    return sum(comb(total, n) * chance**n * (1 - chance) ** (total - n) for n in range(count, total + 1))


@settings(deadline=None)
@given(TOTALS, CHANCES, st.data())
def test_the_probability_of_so_many_or_more(total: int, chance: float, data: st.DataObject) -> None:
    """The sum of the binomial's terms."""
    count = data.draw(st.integers(0, total))
    assert at_least(count, total, chance) == pytest.approx(summed(count, total, chance), rel=1e-6, abs=1e-12)


def test_nothing_and_everything() -> None:
    """What cannot happen and what must."""
    assert at_least(0, 10, 0.0) == 1
    assert at_least(1, 10, 0.0) == 0
    assert at_least(10, 10, 1.0) == 1
    assert at_least(11, 10, 0.5) == 0


@settings(deadline=None)
@given(TOTALS, st.sampled_from([0.1, 0.01, 0.001]), st.data())
def test_a_larger_share_than_the_highest_is_unlikely(total: int, error: float, data: st.DataObject) -> None:
    """Clopper and Pearson: at the bound itself, so few come up with just the error's probability."""
    count = data.draw(st.integers(0, total))
    share = highest_share(count, total, error)
    assert share >= count / total
    if count < total:
        assert 1 - at_least(count + 1, total, share) == pytest.approx(error, rel=0.05)


def test_known_bounds() -> None:
    """Of none in 100 it is what none comes up of with the error's probability: (1 - share) ** 100."""
    assert highest_share(0, 100, 0.01) == pytest.approx(1 - 0.01 ** (1 / 100), abs=2e-6)
    assert highest_share(10, 10, 0.01) == 1
    assert highest_share(0, 0, 0.01) == 1


@pytest.mark.parametrize(
    ("count", "total", "shows"),
    [(1, 20, False), (1, 100, False), (4, 100, False), (5, 100, True), (31, 2000, False), (32, 2000, True)],
)
def test_a_count_shows_more_than_a_share_where_chance_does_not_explain_it(
    count: int, total: int, *, shows: bool
) -> None:
    """One error of 20 is 5 %, and shows nothing of a limit of 1 %."""
    assert exceeds(count, total, 0.01, 0.01) is shows


def test_a_share_that_never_happens_is_exceeded_by_one() -> None:
    """With a success rate of at least 100 %, one failure is one too many; none is none."""
    assert exceeds(1, 1_000_000, 0.0, 0.01)
    assert not exceeds(0, 10, 0.0, 0.01)
