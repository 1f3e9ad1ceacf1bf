"""The statistics of a split, held against what they promise."""

from math import comb

from hypothesis import given, settings
from hypothesis import strategies as st

from operations.canary.analysis.split import agreeing, compare, telling

CHANCES = st.floats(0.01, 0.99)
TOTALS = st.integers(1, 400)


def probability(lowest: int, highest: int, total: int, chance: float) -> float:
    return sum(
        comb(total, count) * chance**count * (1 - chance) ** (total - count)
        for count in range(lowest, highest + 1)
    )


@settings(max_examples=200, deadline=None)
@given(TOTALS, CHANCES, st.sampled_from([0.1, 0.05, 0.01, 0.001]))
def test_what_agrees_is_as_likely_as_the_confidence_says(total: int, chance: float, error: float) -> None:
    """No less, and one count fewer on either side would be less than its half of the error leaves."""
    lowest, highest = agreeing(total, chance, error)
    assert 0 <= lowest <= highest <= total
    assert probability(lowest, highest, total, chance) >= 1 - error - 1e-9
    assert probability(0, lowest, total, chance) > error / 2 - 1e-9
    assert probability(highest, total, total, chance) > error / 2 - 1e-9


@given(TOTALS, CHANCES)
def test_both_sides_are_one_question(total: int, chance: float) -> None:
    """What agrees with a share leaves what agrees with the rest."""
    lowest, highest = agreeing(total, chance, 0.01)
    other = agreeing(total, 1 - chance, 0.01)
    assert abs(total - highest - other[0]) <= 1  # a tie on the last digit
    assert abs(total - lowest - other[1]) <= 1


def test_known_intervals() -> None:
    """Of 10,000 requests at 5 % with 99 % confidence; R: qbinom(c(.005, .995), 10000, .05) gives 445, 557."""
    assert agreeing(10_000, 0.05, 0.01) == (445, 557)
    assert agreeing(10_000, 0.5, 0.01) == (4871, 5129)
    assert agreeing(1_000_000, 0.5, 0.01) == (498_712, 501_288)


def test_nobody_and_everybody() -> None:
    """A single request to a version without weight is one too many."""
    v1, v2 = compare({"v1": 999, "v2": 1}, {"v1": 100, "v2": 0}, 99)
    assert not v1.agrees
    assert not v2.agrees
    assert all(each.agrees for each in compare({"v1": 1000, "v2": 0}, {"v1": 100, "v2": 0}, 99))


def test_three_versions_share_the_error() -> None:
    """All of them agree together as often as one would alone: each interval is wider."""
    wide = compare({"a": 500, "b": 300, "c": 200}, {"a": 50, "b": 30, "c": 20}, 99)
    narrow = compare({"a": 500, "b": 500}, {"a": 50, "b": 50}, 99)
    assert all(each.agrees for each in wide)
    assert wide[0].lowest < narrow[0].lowest


def test_a_share_says_its_figures() -> None:
    """For the log and the report."""
    _, v2 = compare({"v1": 900, "v2": 100}, {"v1": 90, "v2": 10}, 99)
    assert str(v2) == "v2 10.0 % (100 of 1000; 76 to 125 agree with 10 %)"


@settings(deadline=None)
@given(st.integers(0, 100), st.integers(0, 100), st.sampled_from([90.0, 99.0, 99.9]))
def test_so_many_requests_tell_two_splits_apart(before: int, after: int, confidence: float) -> None:
    """No count agrees with both."""
    total = telling(before / 100, after / 100, confidence)
    if before != after:
        low, high = sorted((before, after))
        error = 1 - confidence / 100
        assert agreeing(total, low / 100, error)[1] < agreeing(total, high / 100, error)[0]
