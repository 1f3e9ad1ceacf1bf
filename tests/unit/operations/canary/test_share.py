"""The share of the new version: from counts, without a canary."""

from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operations.canary.analysis.binomial import agreeing, exactly
from operations.canary.analysis.checks import Finding, Verdict
from operations.canary.analysis.share import ShareCheck
from tests.unit.operations.canary.environments import Answered

CHANCES = st.floats(0.01, 0.99)
TOTALS = st.integers(1, 400)
GOOD, BAD, UNSURE, UNKNOWN = Verdict.good, Verdict.bad, Verdict.unsure, Verdict.unknown


def probability(lowest: int, highest: int, total: int, chance: float) -> float:
    return sum(
        comb(total, count) * chance**count * (1 - chance) ** (total - count)
        for count in range(lowest, highest + 1)
    )


@settings(max_examples=200, deadline=None)
@given(TOTALS, CHANCES, st.sampled_from([0.1, 0.05, 0.01, 0.0001]))
def test_what_agrees_is_as_likely_as_the_confidence(total: int, chance: float, error: float) -> None:
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


def judged(count: int, total: int, weight: int, before: int, *, strict: bool = False) -> Finding:
    check = ShareCheck(version="v2", weight=weight, before=before, min_requests=20, confidence=99)
    counts = {"v1": total - count, "v2": count}
    measured = {each: Answered(requests=of, failures=0, latency=1) for each, of in counts.items()}
    return check.judge(measured, strict=strict)


@pytest.mark.parametrize(
    ("count", "total", "weight", "before", "verdict"),
    [
        (10, 100, 10, 0, GOOD),
        (0, 20, 10, 0, UNSURE),
        (0, 200, 10, 0, BAD),
        (3, 19, 10, 0, UNKNOWN),
        # 5 and 10 % look alike in 100 requests.
        (10, 100, 10, 5, UNSURE),
        (5, 100, 10, 5, UNSURE),
        (100, 1000, 10, 5, GOOD),
        (50, 1000, 10, 5, UNSURE),
        (150, 3000, 10, 5, BAD),
        # Neither: something else divides the traffic.
        (200, 1000, 10, 5, BAD),
        # All the traffic is all of it.
        (1000, 1000, 100, 75, GOOD),
        (999, 1000, 100, 75, BAD),
        (750, 1000, 100, 75, BAD),
        # A step with the weight before it, as after a kill.
        (100, 1000, 10, 10, GOOD),
        # Prometheus extrapolates: that contradicts nothing.
        (175, 1000, 10, 0, GOOD),
    ],
)
def test_a_share_is_judged_against_the_weight_and_the_one_before(
    count: int, total: int, weight: int, before: int, verdict: Verdict
) -> None:
    """Too few requests to distinguish the two are no reason for a rollback."""
    finding = judged(count, total, weight, before)
    assert finding.verdict is verdict, finding


def test_a_strict_check_is_contradicted_at_the_confidence() -> None:
    """For the last interval of a step whose share was wrong at first."""
    assert judged(185, 1000, 10, 0, strict=True).verdict is BAD
    assert judged(175, 1000, 10, 0, strict=True).verdict is GOOD


def test_a_share_is_described_with_its_counts() -> None:
    """For the log and the report."""
    assert judged(100, 1000, 10, 5).description == "v2 10.0 % (100 of 1000)"
    assert judged(150, 3000, 10, 5).description == (
        "v2 5.0 % (150 of 3000), and it must be 10 % (171 to 447); before the step it was 5 %"
    )


@pytest.mark.parametrize(("weight", "before"), [(10, 5), (5, 0), (100, 75), (50, 25)])
def test_a_good_step_is_almost_never_bad(weight: int, before: int) -> None:
    """Of 2,000 requests, by exact probabilities: at most once in 10,000 steps."""
    bad = [count for count in range(2001) if judged(count, 2000, weight, before).verdict is BAD]
    chance = weight / 100
    likely = sum(exactly(count, 2000, chance) for count in bad) if weight < 100 else float(2000 in bad)
    assert likely <= 0.0001
