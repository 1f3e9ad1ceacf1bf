"""What is judged of a step and when: windows, warm-up, and what happens where nothing can be told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from math import inf

import pytest

from operations.canary.analysis.checks import Measured
from operations.canary.journal.inbox import Command
from operations.canary.outcome import Outcome
from operations.metrics.histogram import percentile
from tests.unit.operations.canary.environments import BOUNDS, FakeEnvironment, rollout
from tests.unit.operations.canary.test_rollout import QUICK

LONG = {**QUICK, "steps": [10, 100], "hold": "40s"}
"""Steps long enough for a look that goes wrong and others after it."""


@dataclass(kw_only=True)
class Counting(FakeEnvironment):
    """Counts what happens, so that a window has what happened in it."""

    longest: float = 3000
    passed: list[tuple[float, float, Mapping[str, Measured]]] = field(default_factory=list)
    """From when to when, and what each version answered."""

    def sleep(self, seconds: float) -> None:
        """Count what is answered meanwhile."""
        began, answered = self.time, super().measure(max(seconds, 0.001))
        super().sleep(seconds)
        self.passed.append((began, self.time, answered))

    def measure(self, window: float) -> Mapping[str, Measured]:
        """Add up what was answered in a window."""
        assert window > 0
        start = self.time - window
        parts = [
            (min(1.0, (end - start) / (end - began)), answered)
            for began, end, answered in takewhile(lambda each: each[1] > start + 1e-6, reversed(self.passed))
        ]
        return {version: _added([(part, each[version]) for part, each in parts]) for version in self.live}


@dataclass(kw_only=True)
class Stale(Counting):
    """Proxies that never take new weights."""

    def sleep(self, seconds: float) -> None:
        """Divide the requests by the first weights."""
        self.skew = self.old - self.live["v2"]
        super().sleep(seconds)

    def __post_init__(self) -> None:
        """Note the first weights."""
        self.old = self.live["v2"]


@dataclass(frozen=True, kw_only=True)
class Added:
    """What a version answered in a window."""

    requests: float
    failures: float
    durations: Mapping[float, float]

    def percentile(self, share: float) -> float | None:
        """As Prometheus estimates it."""
        return percentile(self.durations, share)


def _added(parts: list[tuple[float, Measured]]) -> Added:
    return Added(
        requests=sum(part * each.requests for part, each in parts),
        failures=sum(part * each.failures for part, each in parts),
        durations={
            bound: sum(part * each.durations[bound] for part, each in parts) for bound in (*BOUNDS, inf)
        },
    )


def fails(environment: FakeEnvironment, share: float, *, at: float, until: float) -> None:
    """Have v2 fail for a while."""
    environment.at.append((at, lambda it: it.errors.update(v2=share)))
    environment.at.append((until, lambda it: it.errors.update(v2=0.0)))


@pytest.mark.parametrize(
    ("policy", "outcome", "weight"),
    [("stop", Outcome.no_data, 10), ("continue", Outcome.promoted, 100)],
)
def test_the_plan_decides_without_traffic_after_a_bad_look_as_well(
    policy: str, outcome: Outcome, weight: int
) -> None:
    """One bad look that is allowed, and then no requests any more: nobody waits for ever."""
    environment = Counting()
    fails(environment, 0.5, at=12, until=14)
    environment.at.append((14, lambda it: setattr(it, "rate", 0)))
    assert rollout(environment, noData=policy, **LONG).run()[0] is outcome
    assert [each["verdict"] for each in environment.events("look")].count("bad") == 1
    assert environment.live["v2"] == weight
    assert environment.time < 150


def test_the_plan_may_wait_for_traffic_after_a_bad_look() -> None:
    """Then a good look ends the step, as any other."""
    environment = Counting()
    fails(environment, 0.5, at=12, until=14)
    environment.at.append((14, lambda it: setattr(it, "rate", 0)))
    environment.at.append((1000, lambda it: setattr(it, "rate", 100)))
    assert rollout(environment, noData="wait", **LONG).run()[0] is Outcome.promoted
    assert environment.history[1][0] > 1000


@pytest.mark.parametrize("policy", ["stop", "continue", "wait"])
def test_too_few_failures_to_tell_are_too_few_requests(policy: str) -> None:
    """Two of 40 are more than 1 %, and show nothing: the plan decides; by default it waits until they do."""
    environment = Counting(rate=20, errors={"v1": 0.0, "v2": 0.05})
    outcome, why = rollout(environment, noData=policy, **QUICK).run()
    assert outcome is {"stop": Outcome.no_data}.get(policy, Outcome.rolled_back)
    first = {"stop": [10], "continue": [10, 50], "wait": [10]}[policy]
    assert [weights["v2"] for _, weights in environment.history if weights["v2"]] == first
    assert ("too few to distinguish" in why) is (policy == "stop")


def test_what_no_interval_shows_the_step_shows() -> None:
    """2 % errors of 50 requests in each interval are one: of a step's 1,000 they are 20."""
    environment = Counting(errors={"v1": 0.0, "v2": 0.02})
    outcome, why = rollout(environment, **{**LONG, "hold": "10m"}).run()
    assert (outcome, why) == (Outcome.rolled_back, "success rate 98 %, and it must be at least 99 %")
    assert max(weights["v2"] for _, weights in environment.history) == 10
    samples = [each["verdict"] for each in environment.events("look")]
    assert samples.index("bad") > 5


def test_a_short_outage_is_one_bad_look() -> None:
    """It is allowed, and over: the step's other looks do not count its requests once more."""
    environment = Counting()
    fails(environment, 0.5, at=12, until=14)
    assert rollout(environment, **LONG).run()[0] is Outcome.promoted
    assert [each["verdict"] for each in environment.events("look")].count("bad") == 1


def test_two_short_outages_are_one_too_many() -> None:
    """As the plan says: so many looks at a step, and not so many one after the other."""
    environment = Counting()
    fails(environment, 0.5, at=12, until=14)
    fails(environment, 0.5, at=27, until=29)
    assert rollout(environment, **LONG).run()[0] is Outcome.rolled_back


def test_no_request_of_the_warm_up_is_judged() -> None:
    """Cold pods fail and are slow: nothing of that is in any window that is judged, nor in the hold."""
    environment = Counting(errors={"v1": 0.0, "v2": 1.0}, latency={"v1": 10.0, "v2": 2000.0})
    environment.at.append((21, lambda it: it.errors.update(v2=0.0)))
    environment.at.append((21, lambda it: it.latency.update(v2=10.0)))
    assert rollout(environment, **{**QUICK, "warmUp": "20s"}).run()[0] is Outcome.promoted
    (step, _), (following, _), _ = environment.history
    assert all(each["verdict"] == "good" for each in environment.events("look"))
    samples = [(each["time"] - each["window"], each["time"]) for each in environment.events("look")]
    assert all(start >= step + 20 for start, _ in samples)
    assert following - step >= 20 + 20


def test_only_new_pods_warm_up() -> None:
    """The next step begins with pods that had requests: its first look comes after an interval."""
    environment = Counting()
    rollout(environment, **{**QUICK, "warmUp": "20s"}).run()
    second = environment.history[1][0]
    assert min(each["time"] for each in environment.events("look") if each["time"] > second) < second + 8


def test_more_pods_than_ever_warm_up_as_well() -> None:
    """An autoscaler brings some: what they answer at first is not judged, nor what came just before."""
    environment = Counting()
    environment.at.append((40, lambda it: it.pods.update(v2=3)))
    environment.at.append((40, lambda it: it.latency.update(v2=2000.0)))
    environment.at.append((59, lambda it: it.latency.update(v2=10.0)))
    assert rollout(environment, **{**LONG, "warmUp": "20s"}).run()[0] is Outcome.promoted
    assert any("3 ready pods, 1 before" in each for each in environment.said)
    assert not [each for each in environment.events("look") if 41 < each["time"] < 60]


def test_pods_that_come_and_go_are_judged_all_the_same() -> None:
    """Only more than ever begin a warm-up: else a version that keeps crashing would never be judged."""
    environment = Counting(pods={"v1": 1, "v2": 2})
    for moment in range(30, 400, 4):
        count = 1 + moment // 4 % 2
        environment.at.append((moment, lambda it, count=count: it.pods.update(v2=count)))  # type: ignore[misc]
    environment.at.append((41, lambda it: it.errors.update(v2=0.5)))
    assert rollout(environment, **{**LONG, "warmUp": "20s"}).run()[0] is Outcome.rolled_back
    assert environment.history[-1][0] < 60


def test_a_warm_up_is_no_reason_to_end_a_step_without_data() -> None:
    """Where pods come just before the end of a step, it lasts until they were judged."""
    environment = Counting()
    environment.at.append((58, lambda it: it.pods.update(v2=2)))
    assert rollout(environment, noData="stop", **{**LONG, "warmUp": "20s"}).run()[0] is Outcome.promoted
    assert environment.history[1][0] > 58 + 20


@pytest.mark.parametrize("weight", [5, 50, 100])
def test_a_mesh_that_keeps_the_old_split_leads_to_a_rollback(weight: int) -> None:
    """Its metrics are good, and proxies use the weights before the step: the share says so, at its end."""
    environment = Stale(rate=200, live={"v1": 97, "v2": 3}, file={"v1": 97, "v2": 3})
    plan = {**QUICK, "steps": [weight, 100][: 1 + (weight < 100)], "hold": "2m"}
    outcome, why = rollout(environment, before={"v1": 97, "v2": 3}, **plan).run()
    assert outcome is Outcome.rolled_back
    assert why.startswith("share v2 3.0 % (")
    assert f"and it must be {weight} %" in why
    assert why.endswith("before the step it was 3 %")
    first = next(each for each in environment.events("look") if each["verdict"] == "bad")
    assert first["time"] >= 120


def test_a_share_that_is_wrong_ends_no_step_without_data() -> None:
    """Where the new version gets no request at all, its checks have no data, and the share has."""
    environment = Stale(rate=200)
    assert rollout(environment, noData="continue", **QUICK).run()[0] is Outcome.rolled_back


def test_too_few_requests_do_not_contradict_a_share() -> None:
    """48 and 50 % look alike in 1,000 requests: the step lasts until they do not."""
    environment = Counting(rate=50)
    plan = {**QUICK, "steps": [48, 50, 100]}
    assert rollout(environment, **plan).run()[0] is Outcome.promoted
    splits = [each["shares"]["v2"] for each in environment.events("split")]
    assert any(total < 2000 for _, total in splits[1:])
    lasted = environment.history[2][0] - environment.history[1][0]
    assert lasted > 60


@pytest.mark.parametrize(("policy", "outcome"), [("stop", Outcome.no_data), ("continue", Outcome.promoted)])
def test_the_plan_decides_where_the_share_is_unknown(policy: str, outcome: Outcome) -> None:
    """As for the other checks; nothing is rolled back by it."""
    environment = Counting(rate=50)
    ended, why = rollout(environment, noData=policy, **{**QUICK, "steps": [48, 50, 100]}).run()
    assert ended is outcome
    assert ("too few requests to distinguish 50 % from the 48 % before" in why) is (policy == "stop")


def test_requests_of_before_the_step_do_not_contradict_its_share() -> None:
    """The last interval has none of them: requests that took long, or proxies that were late."""
    environment = Counting(rate=200)
    environment.at.append((1, lambda it: setattr(it, "skew", -6)))
    environment.at.append((10, lambda it: setattr(it, "skew", 0)))
    assert rollout(environment, allowedFailures=0, **QUICK).run()[0] is Outcome.promoted


def test_the_share_is_shown_before_it_is_judged() -> None:
    """Each sample has it, measured over the step."""
    environment = Counting(rate=200)
    shown: list[Mapping[str, float]] = []
    environment.show = lambda state: shown.append(state.shares)  # type: ignore[method-assign]
    rollout(environment, **QUICK).run()
    assert any(each.get("v2") == pytest.approx(10) for each in shown)


def test_two_checks_of_one_name_are_both_held() -> None:
    """One percentile, with a limit that holds, and one that only the whole step breaks."""
    checks = [{"successRate": {"atLeast": 99}}, {"successRate": {"atLeast": 50}}]
    environment = Counting(errors={"v1": 0.0, "v2": 0.02})
    outcome, _ = rollout(environment, checks=checks, **{**LONG, "hold": "10m"}).run()
    assert outcome is Outcome.rolled_back


def test_a_pause_is_watched_with_windows_of_its_own() -> None:
    """For as long as it lasts."""
    environment = Counting()
    fails(environment, 0.5, at=502, until=504)
    environment.at.append((900, lambda it: it.wishes.append(Command.resume)))
    steps = [{"weight": 10, "pause": True}, 100]
    assert rollout(environment, **{**QUICK, "steps": steps}).run()[0] is Outcome.promoted
    assert [each["verdict"] for each in environment.events("look")].count("bad") == 1
