"""What a check calls bad, and what it does not: from figures, without a canary."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any

import pytest

from components.model.canary import Check
from components.schema.decode import decode
from components.schema.issues import Path
from operations.canary.analysis.checks import Finding, Latency, Query, SuccessRate, Verdict, check
from operations.metrics.histogram import percentile

GOOD, BAD, UNSURE, UNKNOWN = Verdict.good, Verdict.bad, Verdict.unsure, Verdict.unknown


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What a version answered."""

    requests: float
    failures: float = 0
    durations: Mapping[float, float] = field(default_factory=dict)

    def percentile(self, share: float) -> float | None:
        """As Prometheus estimates it."""
        return percentile(self.durations, share)


def took(**counts: float) -> Answered:
    """So many requests in each bucket: `_5=10` are ten of 1 to 5 ms."""
    bounds = (0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, inf)
    given = {float(name[1:].replace("_", ".")): count for name, count in counts.items()}
    assert given.keys() <= set(bounds)
    durations, seen = {}, 0.0
    for bound in bounds:
        seen += given.get(bound, 0)
        durations[bound] = seen
    return Answered(requests=seen, durations=durations)


def decoded(declared: Mapping[str, Any]) -> Check:
    return decode(Check, declared, Path())[0]


def judged(declared: Mapping[str, Any], new: Answered, old: Answered | None, window: float = 20) -> Finding:
    made = check(decoded(declared))
    assert isinstance(made, SuccessRate | Latency)
    return made.judge(new, old, error=0.01, window=window)


@pytest.mark.parametrize(
    ("rate", "failures", "requests", "verdict"),
    [
        ({"atLeast": 99}, 1, 100, GOOD),
        ({"atLeast": 99}, 1, 20, UNSURE),
        ({"atLeast": 99}, 4, 100, UNSURE),
        ({"atLeast": 99}, 5, 100, BAD),
        ({"atLeast": 99}, 30, 3000, GOOD),
        ({"atLeast": 99}, 60, 3000, BAD),
        ({"atLeast": 100}, 0, 3000, GOOD),
        ({"atLeast": 100}, 1, 3000, BAD),
        ({"atLeast": 99}, 0, 0, UNKNOWN),
        # The old version here fails 2 of 100, or 20 of 1,000.
        ({"belowOld": 1}, 2, 100, GOOD),
        ({"belowOld": 1}, 8, 100, GOOD),
        ({"belowOld": 1}, 30, 100, BAD),
        ({"belowOld": 1}, 30, 1000, GOOD),
        ({"belowOld": 1}, 70, 1000, BAD),
    ],
)
def test_a_success_rate_is_bad_where_its_failures_show_it(
    rate: Mapping[str, float], failures: int, requests: int, verdict: Verdict
) -> None:
    """And unsure where it lies beyond a limit that chance may have carried it over."""
    old = Answered(requests=requests, failures=requests * 0.02)
    finding = judged({"successRate": rate}, Answered(requests=requests, failures=failures), old)
    assert finding.verdict is verdict, finding
    assert finding.description


def test_what_prometheus_extrapolated_is_no_failure() -> None:
    """One failure within a window may come as 1.33: it is not two."""
    one = Answered(requests=133.3, failures=1.333)
    assert judged({"successRate": {"atLeast": 99}}, one, None).verdict is GOOD
    assert (
        "too few to distinguish"
        in judged({"successRate": {"atLeast": 99}}, Answered(requests=20, failures=1.33), None).description
    )


def test_two_percentiles_in_neighbouring_buckets_are_not_different() -> None:
    """The reviewers' case: five of five equal versions were rolled back by p99 2.9 ms against 1.0 ms.

    1,600 requests a second over two connections, 12,000 of the new version in the window. Both estimates are
    interpolated: what is known is that 1 % of the one took up to 1 ms or more, and 2 % of the other.
    """
    old, new = took(_0_5=100_000, _1=8_900, _5=1_100), took(_0_5=9_000, _1=2_760, _5=240)
    estimates = [each.percentile(0.99) for each in (new, old)]
    assert estimates == pytest.approx([3.0, 1.0], abs=0.01)
    for latency in (
        {"timesOld": 1.5},
        {"timesOld": 1.5, "minDifference": "0s"},
        {"timesOld": 1, "minDifference": "0s"},
    ):
        finding = judged({"latency": latency}, new, old, window=100)
        assert finding.verdict is GOOD
        assert finding.description == "1 to 5 ms (old 0.5 to 1 ms)"


@pytest.mark.parametrize(
    ("latency", "new", "verdict"),
    [
        # The old version's p99 is 5 to 10 ms.
        ({"timesOld": 1.5}, took(_500=1000), BAD),
        ({"timesOld": 1.5}, took(_100=1000), GOOD),
        ({"timesOld": 1.5, "minDifference": "10ms"}, took(_50=1000), BAD),
        ({"timesOld": 1.5, "minDifference": "10ms"}, took(_25=1000), GOOD),
        ({"timesOld": 1.5, "minDifference": "0s"}, took(_25=1000), GOOD),
        ({"timesOld": 1.5, "minDifference": "0s"}, took(_50=1000), BAD),
        ({"timesOld": 100}, took(_500=1000), GOOD),
        # Buckets that touch: 10.1 ms beside 9.9 would look the same.
        ({"timesOld": 1, "minDifference": "0s"}, took(_25=1000), GOOD),
        ({"timesOld": 1, "minDifference": "0s"}, took(_50=1000), BAD),
        ({"timesOld": 3, "minDifference": "0s"}, took(_50=1000), GOOD),
        ({"timesOld": 3, "minDifference": "0s"}, took(_100=1000), BAD),
        # A ratio below 1 asks for a faster version: there the ratio alone counts.
        ({"timesOld": 0.5}, took(_10=1000), BAD),
        ({"timesOld": 0.5}, took(_5=1000), GOOD),
    ],
)
def test_a_slower_version_is_bad_by_ratio_and_difference(
    latency: Mapping[str, Any], new: Answered, verdict: Verdict
) -> None:
    """Both counted from bucket to bucket: from the end of the old one's to the beginning of the new one's."""
    finding = judged({"latency": latency}, new, took(_5=50_000, _10=50_000), window=100)
    assert finding.verdict is verdict, finding


def test_a_few_slow_requests_are_no_percentile() -> None:
    """2 % of 100 are two requests: they come up in one of four versions whose p99 keeps the limit."""
    old = took(_5=1900)
    assert judged({"latency": {"timesOld": 1.5}}, took(_5=98, _500=2), old, window=100).verdict is GOOD
    assert judged({"latency": {"timesOld": 1.5}}, took(_5=80, _500=20), old, window=100).verdict is BAD


def test_one_pause_is_one_event_however_many_wait_for_its_end() -> None:
    """At 1,500 requests a second, 0.6 s in 20 make 900 of 30,000 slow: 3 %, and one event or two."""
    old = took(_5=30_000)
    assert judged({"latency": {"timesOld": 1.5}}, took(_5=29_100, _500=900), old, window=20).verdict is GOOD
    assert judged({"latency": {"timesOld": 1.5}}, took(_5=18_000, _500=12_000), old, window=20).verdict is BAD


def test_an_old_version_of_few_requests_is_not_taken_for_the_truth() -> None:
    """None of its 100 was slow: then up to 4 % may be, and 5 % of the new one's are no difference."""
    few, many = took(_5=100), took(_5=10_000)
    slow = took(_5=9_500, _500=500)
    assert judged({"latency": {"timesOld": 1.5}}, slow, few, window=120).verdict is GOOD
    assert judged({"latency": {"timesOld": 1.5}}, slow, many, window=120).verdict is BAD


@pytest.mark.parametrize(
    ("at_most", "new", "verdict", "description"),
    [
        ("500ms", took(_500=1000), GOOD, "250 to 500 ms"),
        ("250ms", took(_500=1000), BAD, "250 to 500 ms, and it must be at most 250 ms"),
        ("400ms", took(_500=1000), GOOD, "250 to 500 ms (the histogram has no bound at 400 ms)"),
        ("400ms", took(_1000=1000), BAD, "500 to 1000 ms, and it must be at most 400 ms"),
        ("2s", took(_inf=1000), GOOD, "over 1000 ms (the histogram has no bound at 2000 ms)"),
    ],
)
def test_a_limit_within_a_bucket_is_its_upper_bound(
    at_most: str, new: Answered, verdict: Verdict, description: str
) -> None:
    """Where in a bucket its durations lie, nobody knows; the finding says so."""
    finding = judged({"latency": {"atMost": at_most}}, new, None)
    assert (finding.verdict, finding.description) == (verdict, description)


def test_without_a_histogram_there_is_no_verdict() -> None:
    """Requests that were counted, and no durations."""
    assert judged({"latency": {"atMost": "1s"}}, Answered(requests=100), None).verdict is UNKNOWN


@pytest.mark.parametrize("declared", [{"latency": {"timesOld": 1.5}}, {"successRate": {"belowOld": 1}}])
def test_without_an_old_figure_there_is_nothing_to_compare(declared: Mapping[str, Any]) -> None:
    """As when everybody has the new version already; it says so."""
    finding = judged(declared, took(_500=1000), None)
    assert finding.verdict is GOOD
    assert "no data to compare" in finding.description


@pytest.mark.parametrize(
    ("limits", "value", "old", "verdict"),
    [
        ({"atMost": 2}, 2, None, GOOD),
        ({"atMost": 2}, 2.1, None, BAD),
        ({"atLeast": 2}, 1.9, None, BAD),
        ({"timesOld": 2}, 20, 10, GOOD),
        ({"timesOld": 2}, 21, 10, BAD),
        ({"timesOld": 2}, 21, None, GOOD),
        ({"atMost": 2}, None, None, UNKNOWN),
    ],
)
def test_a_query_of_the_teams_own_is_taken_as_it_is(
    limits: Mapping[str, float], value: float | None, old: float | None, verdict: Verdict
) -> None:
    """Of what its number is made, only the team knows."""
    made = check(decoded({"query": {"name": "queue", "promql": "q", **limits}}))
    assert isinstance(made, Query)
    assert made.judge(value, old).verdict is verdict


def test_a_check_says_what_must_hold() -> None:
    """With its units, before a canary begins."""
    said = [
        str(check(decoded(each)))
        for each in (
            {"successRate": {"atLeast": 99, "belowOld": 1}},
            {"latency": {"percentile": 99.9, "atMost": "500ms", "timesOld": 1.5}},
            {"query": {"name": "queue", "promql": "q", "atMost": 3}},
        )
    ]
    assert said == [
        "success rate: at least 99 %, at most 1 points below the old version's",
        "p99.9: at most 500 ms, at most 1.5 times the old version's, or less than 50 ms above it",
        "queue: at most 3",
    ]
