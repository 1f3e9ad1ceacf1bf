"""What happened is taken from the answers that callers got."""

import random
from collections.abc import Mapping

import pytest

from bench.answers import Answer, change_of_share, moments
from bench.load import Report

RATE = 200


def answered(shares: Mapping[float, float], seconds: float, *, failing: float = 0.0) -> list[Answer]:
    """Answers at a constant rate, where v2 has a share (0 to 1) from each moment on, and fails a part."""
    chance = random.Random(7)  # noqa: S311 (no secret)
    found = []
    for nth in range(int(seconds * RATE)):
        at = nth / RATE
        share = next(shares[begins] for begins in sorted(shares, reverse=True) if begins <= at)
        version = "v2" if chance.random() < share else "v1"
        fails = version == "v2" and chance.random() < failing
        found.append(Answer(at=at, version=version, status=500 if fails else 200))
    return found


@pytest.mark.parametrize(("before", "after"), [(0.1, 0.9), (0.9, 0.1)])
def test_the_moment_of_a_new_split_is_found(before: float, after: float) -> None:
    """Within a few requests, upwards and downwards."""
    answers = answered({0: before, 4: after}, 8)
    assert change_of_share(answers, "v2", before, after) == pytest.approx(4, abs=0.05)


def test_a_split_that_did_not_change_is_an_error() -> None:
    """It has no moment, and none is invented."""
    with pytest.raises(ValueError, match="stayed 10%"):
        change_of_share(answered({0: 0}, 2), "v2", 0.1, 0.9)


def test_a_rollback_is_read_from_answers() -> None:
    """From the first bad answer, which comes some time after the first one, to the last."""
    answers = answered({0: 0, 2: 0.1, 12: 0}, 20, failing=0.05)
    bad, last = moments(answers, "v2", bad=True)[0], moments(answers, "v2")[-1]
    assert 2 < bad < 5
    assert 11 < last < 12


def test_a_promotion_is_read_from_answers() -> None:
    """The last of v1."""
    assert 21.5 < moments(answered({0: 0, 2: 0.1, 12: 0.3, 22: 1}, 30), "v1")[-1] <= 22


def test_without_a_bad_answer_there_is_no_such_moment() -> None:
    """It is not 0."""
    with pytest.raises(ValueError, match="none of 4000 answers is a bad one of v2"):
        moments(answered({0: 0, 2: 0.1, 12: 0}, 20), "v2", bad=True)


def test_the_load_generators_answers_are_read_in_the_order_of_the_requests() -> None:
    """It prints them as they end; one without a version is nobody's."""
    document = {
        "requests": 2,
        "seconds": 0.5,
        "answers": {"v1": 1},
        "failed": 1,
        "failures": [{"at": "now", "code": 0, "reason": "EOF"}],
        "p99Milliseconds": 3.5,
        "each": [{"at": 2.0, "version": "v1", "code": 200}, {"at": 1.0, "version": "", "code": 0}],
    }
    report = Report.of(document)
    assert [(each.version, each.good) for each in report.each] == [("", False), ("v1", True)]
    assert report.failures == ("now 0 EOF",)
    assert report.rate == 4
