"""The course of a canary in a world of the test's own."""

import itertools
from typing import Any

import pytest

from operations.canary.fixed_routes import FixedRoute
from operations.canary.journal.inbox import Command
from operations.canary.outcome import Outcome
from operations.errors import OperationError
from tests.unit.operations.canary.environments import FakeEnvironment, rollout

QUICK: dict[str, Any] = {
    "steps": [10, 50, 100],
    "hold": "20s",
    "interval": "5s",
    "minRequests": 20,
    "warmUp": "0s",
}
HALF_WAY = 15.0
"""Seconds: in the first step's analysis."""


def test_a_good_version_gets_everything_step_by_step() -> None:
    """Each step is one update, told by its message, and lasts as long as the plan says."""
    environment = FakeEnvironment()
    assert rollout(environment, **QUICK).run() == (
        Outcome.promoted,
        "v2 has all the traffic: 100 % of 2000 requests in the last 20 s",
    )
    assert environment.ups == [
        "canary v2: step 1/3, 10 %",
        "canary v2: step 2/3, 50 %",
        "canary v2: step 3/3, 100 %",
    ]
    assert environment.live == environment.file == {"v1": 0, "v2": 100}
    assert environment.time > 60
    assert all(each["verdict"] == "good" for each in environment.events("look"))


LEGACY = FixedRoute(name="legacy", conditions={"uri": "/legacy"}, to={"v1": 100})
BETA = FixedRoute(name="beta", conditions={"uri": "/beta"}, to={"v1": 20, "v2": 80})
NEW = FixedRoute(name="new", conditions={"uri": "/new"}, to={"v2": 100})


def test_a_promoted_version_is_said_to_have_what_it_got() -> None:
    """A route of its own keeps a fifth of the requests at v1; the end names it, with the measured share."""
    environment = FakeEnvironment(skew=0)
    canary = rollout(environment, fixed=[LEGACY, BETA, NEW], **QUICK)
    canary.analysis.divided = False
    environment.at.append((60, lambda it: setattr(it, "skew", -20)))
    outcome, why = canary.run()
    assert outcome is Outcome.promoted
    assert why == (
        "v2 has all the traffic that follows the weights: 80 % of 2000 requests in the last 20 s; "
        "route legacy still goes to v1, route beta still goes to v1 20 · v2 80"
    )


def test_traffic_that_follows_no_weights_is_not_claimed() -> None:
    """Of callers without a proxy, say: nobody sees them in the stack file."""
    environment = FakeEnvironment()
    canary = rollout(environment, **QUICK)
    canary.analysis.divided = False
    environment.at.append((60, lambda it: setattr(it, "skew", -0.008)))
    assert canary.run()[1] == "v2 has all the weight: 99.99 % of 2000 requests in the last 20 s"


def test_what_is_promoted_by_hand_was_not_measured() -> None:
    """Nothing is claimed of requests that nobody counted."""
    environment = FakeEnvironment()
    canary = rollout(environment, fixed=[LEGACY], **QUICK)
    assert canary.promote()[1] == (
        "v2 has all the traffic that follows the weights; its share was not measured; "
        "route legacy still goes to v1"
    )


def test_nothing_is_promoted_before_the_analysis_is_over() -> None:
    """Between two updates lie the time to measure the split and the whole hold."""
    environment = FakeEnvironment()
    rollout(environment, **QUICK).run()
    moments = [moment for moment, _ in environment.history]
    assert all(later - earlier >= 20 for earlier, later in itertools.pairwise(moments))


def test_a_version_with_errors_is_taken_back_at_the_first_step() -> None:
    """One bad look is allowed by default, the second one is not; weights return in one update."""
    environment = FakeEnvironment(errors={"v1": 0.0, "v2": 0.2})
    outcome, why = rollout(environment, **QUICK).run()
    assert outcome is Outcome.rolled_back
    assert why == "success rate 80 %, and it must be at least 99 %"
    assert environment.live == environment.file == {"v1": 100, "v2": 0}
    assert max(weights["v2"] for _, weights in environment.history) == 10
    assert len([each for each in environment.events("look") if each["verdict"] == "bad"]) == 2


def test_a_slow_version_is_taken_back() -> None:
    """Compared with the old one over the same seconds."""
    environment = FakeEnvironment(latency={"v1": 10, "v2": 310})
    outcome, why = rollout(environment, **QUICK).run()
    assert outcome is Outcome.rolled_back
    assert why == (
        "p99 250 to 500 ms (old 5 to 10 ms), and it must be at most 1.5 times the old version's 5 to 10 ms"
    )


def test_what_is_as_bad_as_the_old_version_passes_a_comparison() -> None:
    """Where both fail alike, it is not the new version's fault, if the plan says so."""
    checks = [{"successRate": {"belowOld": 1}}]
    environment = FakeEnvironment(errors={"v1": 0.1, "v2": 0.1})
    assert rollout(environment, checks=checks, **QUICK).run()[0] is Outcome.promoted


def test_a_version_that_turns_bad_later_is_taken_back_then() -> None:
    """No step before counts for a later one."""
    environment = FakeEnvironment()
    environment.at.append((35, lambda it: it.errors.update(v2=0.5)))
    assert rollout(environment, **QUICK).run()[0] is Outcome.rolled_back
    assert [weights["v2"] for _, weights in environment.history] == [10, 50, 0]


def test_a_version_whose_pods_go_away_is_taken_back_at_once() -> None:
    """Without waiting for any figure."""
    environment = FakeEnvironment()
    environment.at.append((HALF_WAY, lambda it: it.pods.update(v2=0)))
    outcome, why = rollout(environment, **QUICK).run()
    assert (outcome, why) == (Outcome.rolled_back, "v2 has no ready pods any more")
    assert environment.history[-1][0] < HALF_WAY + 3


def test_a_version_without_ready_pods_gets_no_weight() -> None:
    """Not even for a moment; the way back is deployed all the same, and changes nothing."""
    environment = FakeEnvironment(pods={"v1": 1, "v2": 0})
    outcome, why = rollout(environment, **QUICK).run()
    assert outcome is Outcome.rolled_back
    assert "no ready pods" in why
    assert all(weights["v2"] == 0 for _, weights in environment.history)


def test_pods_that_the_canary_brought_go_after_the_weights() -> None:
    """In an update of their own; a version that was there before stays as it was."""
    bad = {"v1": 0.0, "v2": 0.5}
    environment = FakeEnvironment(errors=bad)
    why = "success rate 50 %, and it must be at least 99 %"
    assert rollout(environment, brought=True, **QUICK).run() == (Outcome.rolled_back, why)
    assert environment.ups[-2:] == [f"canary v2: rollback, {why}", "canary v2: v2 removed"]
    assert environment.removed == {"v2"}
    environment = FakeEnvironment(errors=bad)
    assert rollout(environment, **QUICK).run()[0] is Outcome.rolled_back
    assert environment.removed == set()


def test_a_new_version_that_cannot_go_stays_without_traffic() -> None:
    """A route of the team's own names it, say: that is told, and how it ended stays what it is."""
    environment = FakeEnvironment(errors={"v1": 0.0, "v2": 0.5})

    def refuse(versions: set[str]) -> None:
        raise OperationError(f"a route leads to {versions}", fix="take it away")

    environment.remove_versions = refuse  # type: ignore[method-assign]
    assert rollout(environment, brought=True, **QUICK).run()[0] is Outcome.rolled_back
    assert any(each.startswith("v2 stays: a route leads to {'v2'}") for each in environment.said)


def test_a_version_that_never_starts_gets_no_traffic() -> None:
    """The update that brings it fails twice; what the canary brought goes again."""
    environment = FakeEnvironment(refuses=2)
    ended = rollout(environment, brought=True, **QUICK).prepare()
    assert ended is not None
    assert ended[0] is Outcome.rolled_back
    assert "v2 had no traffic" in ended[1]
    before = "canary v2: before the first step"
    assert environment.ups == [before, f"{before} refreshed", "canary v2: v2 removed"]


def test_nobody_goes_back_to_a_version_without_pods() -> None:
    """Bad answers are better than none."""
    environment = FakeEnvironment(errors={"v1": 0.0, "v2": 0.5})
    environment.at.append((10, lambda it: it.pods.update(v1=0)))
    outcome, why = rollout(environment, **QUICK).run()
    assert outcome is Outcome.failed
    assert "v1 has no ready pods to roll back to" in why
    assert environment.live == {"v1": 90, "v2": 10}


def test_a_share_that_is_not_the_weight_leads_to_a_rollback() -> None:
    """Something else divides the traffic: the analysis would be of other shares than the plan's."""
    environment = FakeEnvironment(skew=10)
    outcome, why = rollout(environment, **QUICK).run()
    assert outcome is Outcome.rolled_back
    assert why.startswith("share v2 20.0 % (500 of 2500), and it must be 10 %")
    assert max(weights["v2"] for _, weights in environment.history) == 10


@pytest.mark.parametrize("skew", [0, 10])
def test_a_bad_version_is_rolled_back_an_interval_after_its_step(skew: float) -> None:
    """Whatever its share is: that is judged at the end of the step."""
    environment = FakeEnvironment(skew=skew, errors={"v1": 0.0, "v2": 0.2})
    outcome, why = rollout(environment, **QUICK, allowedFailures=0).run()
    assert outcome is Outcome.rolled_back
    assert why == "success rate 80 %, and it must be at least 99 %"
    (step, _), (roll_back, _) = environment.history
    assert roll_back - step < 8


def test_the_time_of_a_step_begins_when_the_proxies_have_its_routes() -> None:
    """The update and the wait for the proxies are no part of it."""
    environment = FakeEnvironment(sync=7)
    assert rollout(environment, **QUICK).run()[0] is Outcome.promoted
    (first, _), (second, _), _ = environment.history
    assert 20 + 7 <= second - first < 20 + 7 + 3
    samples = environment.events("look")
    assert all(each["time"] - each["window"] >= first + 7 for each in samples)


def test_an_update_that_fails_does_not_wait_for_the_proxies() -> None:
    """Nor does a rollback: it takes effect as soon as it can."""
    environment = FakeEnvironment(sync=1000, refuses=2)
    assert rollout(environment, **QUICK).run()[0] is Outcome.rolled_back
    assert environment.time < 1000


@pytest.mark.parametrize(("policy", "outcome"), [("stop", Outcome.no_data), ("continue", Outcome.promoted)])
def test_without_traffic_the_plan_decides(policy: str, outcome: Outcome) -> None:
    """Stop as it is, or go on."""
    environment = FakeEnvironment(rate=0)
    assert rollout(environment, noData=policy, **QUICK).run()[0] is outcome
    assert environment.live["v2"] == (10 if policy == "stop" else 100)


def test_without_traffic_it_waits_until_there_is_some() -> None:
    """The default: neither promoted nor taken back by nothing."""
    environment = FakeEnvironment(rate=0)
    environment.at.append((1000, lambda it: setattr(it, "rate", 100)))
    assert rollout(environment, **QUICK).run()[0] is Outcome.promoted
    assert environment.history[1][0] > 1000


def test_little_traffic_adds_up() -> None:
    """Looks with too few requests are no verdict; their requests count in the next one."""
    environment = FakeEnvironment(rate=2)
    assert rollout(environment, **QUICK).run()[0] is Outcome.promoted
    judged = [each for each in environment.events("look") if each["verdict"] != "unknown"]
    assert all(each["versions"]["v2"]["requests"] >= 20 for each in judged)


@pytest.mark.parametrize("policy", ["stop", "continue"])
def test_prometheus_down_is_no_verdict_and_promotes_nothing(policy: str) -> None:
    """Its outage ends the canary as it is, also where the plan goes on without traffic."""
    environment = FakeEnvironment()
    environment.at.append((HALF_WAY, lambda it: setattr(it, "prometheus", False)))
    outcome, why = rollout(environment, noData=policy, **QUICK).run()
    assert outcome is Outcome.no_data
    assert "Prometheus is down" in why
    assert environment.live == environment.file == {"v1": 90, "v2": 10}


def test_prometheus_away_for_a_while_is_waited_for() -> None:
    """Then the analysis goes on."""
    environment = FakeEnvironment()
    environment.at.append((HALF_WAY, lambda it: setattr(it, "prometheus", False)))
    environment.at.append((HALF_WAY + 40, lambda it: setattr(it, "prometheus", True)))
    assert rollout(environment, **QUICK).run()[0] is Outcome.promoted


def test_a_long_wait_for_the_cluster_is_no_lack_of_figures() -> None:
    """A look that comes late, because nobody told of the pods meanwhile, is of figures that are there."""
    environment = FakeEnvironment()
    environment.at.append((6, lambda it: it.sleep(40)))
    assert rollout(environment, **QUICK, noData="stop").run()[0] is Outcome.promoted


def test_the_cluster_away_for_a_while_is_waited_for() -> None:
    """In an update as well: it is done again, with a look at what is really there."""
    environment = FakeEnvironment()
    environment.at.append((28, lambda it: setattr(it, "cluster", False)))
    environment.at.append((48, lambda it: setattr(it, "cluster", True)))
    assert rollout(environment, **QUICK).run()[0] is Outcome.promoted
    assert environment.live == {"v1": 0, "v2": 100}


def test_an_update_that_fails_twice_leads_back() -> None:
    """Once may be chance."""
    environment = FakeEnvironment(refuses=2)
    outcome, why = rollout(environment, **QUICK).run()
    assert outcome is Outcome.rolled_back
    assert "error: no" in why
    environment = FakeEnvironment(refuses=1)
    assert rollout(environment, **QUICK).run()[0] is Outcome.promoted
    assert "`pulumi up` failed for stack prod; trying again\n  error: no" in environment.said


def test_a_way_back_that_fails_is_told() -> None:
    """After several tries."""
    environment = FakeEnvironment(refuses=100)
    outcome, why = rollout(environment, **QUICK).run()
    assert outcome is Outcome.failed
    assert "the rollback failed" in why


def test_no_step_is_made_on_routes_that_somebody_changed() -> None:
    """It says who, and leaves everything as it is."""
    environment = FakeEnvironment(changed=["VirtualService shop/shop spec.http is changed, by kubectl"])
    outcome, why = rollout(environment, **QUICK).run()
    assert outcome is Outcome.held
    assert "by kubectl" in why
    assert environment.ups == []


def test_nothing_is_deployed_on_routes_that_somebody_changed() -> None:
    """Not even what comes before the first step: its update would put them back, and nobody would know."""
    environment = FakeEnvironment(changed=["VirtualService shop/shop spec.http is changed, by kubectl"])
    ended = rollout(environment, **QUICK).prepare()
    assert ended is not None
    assert ended[0] is Outcome.held
    assert "by kubectl" in ended[1]
    assert environment.ups == []


def test_pause_keeps_the_step_and_resume_goes_on() -> None:
    """For as long as somebody likes; a bad version goes back in the meantime."""
    environment = FakeEnvironment()
    environment.at.append((5, lambda it: it.wishes.append(Command.pause)))
    environment.at.append((500, lambda it: it.wishes.append(Command.resume)))
    assert rollout(environment, **QUICK).run()[0] is Outcome.promoted
    assert environment.history[1][0] > 500

    environment = FakeEnvironment()
    environment.at.append((5, lambda it: it.wishes.append(Command.pause)))
    environment.at.append((500, lambda it: it.errors.update(v2=0.5)))
    assert rollout(environment, **QUICK).run()[0] is Outcome.rolled_back


def test_a_step_of_the_plan_can_wait_for_a_person() -> None:
    """Its next step begins when somebody says so."""
    environment = FakeEnvironment()
    environment.at.append((900, lambda it: it.wishes.append(Command.resume)))
    steps = [{"weight": 10, "pause": True}, 100]
    assert rollout(environment, **{**QUICK, "steps": steps}).run()[0] is Outcome.promoted
    assert environment.history[1][0] > 900


def test_a_killed_canary_that_was_paused_is_paused_again() -> None:
    """By hand: it watches its step, and goes on when somebody says so, as if nothing had been."""
    environment = FakeEnvironment(live={"v1": 90, "v2": 10})
    environment.at.append((400, lambda it: it.wishes.append(Command.resume)))
    assert rollout(environment, paused=True, **QUICK).run(0, resumed=True)[0] is Outcome.promoted
    assert [moment > 400 for moment, _ in environment.history] == [False, True, True]


def test_a_killed_canary_that_the_plan_had_paused_waits_there_again() -> None:
    """The step was good: it is not judged anew, its hooks do not run again, and one --resume is enough."""
    steps = [{"weight": 10, "pause": True}, 100]
    hooks = [{"when": when, "run": when} for when in ("before-step", "after-step")]
    environment = FakeEnvironment(live={"v1": 90, "v2": 10})
    environment.at.append((400, lambda it: it.wishes.append(Command.resume)))
    going_on = rollout(environment, paused_after=0, hooks=hooks, **{**QUICK, "steps": steps})
    assert going_on.run(0, resumed=True)[0] is Outcome.promoted
    assert [each for each in environment.said if each.startswith("hook") and each.endswith(" 10")] == []
    assert [moment > 400 for moment, _ in environment.history] == [False, True]
    assert [each["event"] for each in environment.notes if each["event"] in {"paused", "resumed"}] == [
        "paused",
        "resumed",
    ]


def test_promote_gives_everything_at_once() -> None:
    """In one update; the share that it got before is not its share now."""
    environment = FakeEnvironment()
    environment.at.append((HALF_WAY, lambda it: it.wishes.append(Command.promote)))
    promoted = (Outcome.promoted, "v2 has all the weight; its share was not measured")
    assert rollout(environment, **QUICK).run() == promoted
    assert [weights["v2"] for _, weights in environment.history] == [10, 100]
    assert environment.time < HALF_WAY + 10


def test_abort_has_everybody_back_at_once() -> None:
    """In one update."""
    environment = FakeEnvironment()
    environment.at.append((40, lambda it: it.wishes.append(Command.abort)))
    assert rollout(environment, **QUICK).run() == (Outcome.aborted, "aborted manually")
    assert environment.live == {"v1": 100, "v2": 0}
    assert environment.history[-1][0] < 44


@pytest.mark.parametrize(("answer", "outcome"), [("hold", Outcome.held), ("back", Outcome.aborted)])
def test_ctrl_c_holds_or_goes_back(answer: Any, outcome: Outcome) -> None:  # noqa: ANN401 - a word
    """As the person says."""
    environment = FakeEnvironment()
    environment.at.append((HALF_WAY, lambda it: setattr(it, "answer", answer)))
    assert rollout(environment, **QUICK).run()[0] is outcome
    assert environment.live["v2"] == (10 if answer == "hold" else 0)


def test_abort_is_heard_while_the_new_version_is_deployed() -> None:
    """Its update ends there; what the canary brought goes again, and no step is made."""
    environment = FakeEnvironment()
    environment.at.append((1, lambda it: it.wishes.append(Command.abort)))
    ended = rollout(environment, brought=True, **QUICK).prepare()
    assert ended == (Outcome.aborted, "aborted manually; v2 had no traffic")
    assert environment.events("back")[0]["outcome"] == "aborted"
    assert environment.ups == ["canary v2: before the first step", "canary v2: v2 removed"]


def test_ctrl_c_is_heard_while_the_new_version_is_deployed() -> None:
    """Held, it is as far as it came: --resume prepares again."""
    environment = FakeEnvironment()
    environment.at.append((1, lambda it: setattr(it, "answer", "hold")))
    assert rollout(environment, brought=True, **QUICK).prepare() == (
        Outcome.held,
        "interrupted; the weights stay as they are",
    )
    assert (environment.ups, environment.removed) == (["canary v2: before the first step"], set())


def test_promote_is_for_when_the_new_version_is_deployed() -> None:
    """Asked for while it is: its pods come first, then everything in one update."""
    environment = FakeEnvironment()
    environment.at.append((1, lambda it: it.wishes.append(Command.promote)))
    promoting = rollout(environment, **QUICK)
    assert promoting.prepare() is None
    assert promoting.run()[0] is Outcome.promoted
    assert environment.ups == ["canary v2: before the first step", "canary v2: step 3/3, 100 %"]


def test_a_pause_while_the_new_version_is_deployed_holds_the_first_step_back() -> None:
    """Until somebody says --resume."""
    environment = FakeEnvironment()
    environment.at += [
        (1, lambda it: it.wishes.append(Command.pause)),
        (300, lambda it: it.wishes.append(Command.resume)),
    ]
    pausing = rollout(environment, **QUICK)
    assert pausing.prepare() is None
    assert pausing.run()[0] is Outcome.promoted
    assert [moment > 300 for moment, _ in environment.history] == [False, True, True, True]


def test_what_was_asked_for_during_an_update_comes_before_the_next_one() -> None:
    """Nobody gets more of a version that somebody has called off."""
    environment = FakeEnvironment(wishes=[Command.abort])
    assert rollout(environment, **QUICK).run()[0] is Outcome.aborted
    assert all(weights["v2"] == 0 for _, weights in environment.history)


def test_a_resumed_canary_goes_on_at_its_step() -> None:
    """It deploys that step once more, with a look at what is really there, and goes on."""
    environment = FakeEnvironment(live={"v1": 50, "v2": 50})
    assert rollout(environment, **QUICK).run(1, resumed=True)[0] is Outcome.promoted
    assert environment.ups == ["canary v2: step 2/3, 50 % refreshed", "canary v2: step 3/3, 100 %"]


def test_one_that_was_killed_before_its_first_step_prepares_again() -> None:
    """With the weights as they were, whatever the file says by then, and a look at what is really there."""
    environment = FakeEnvironment(file={"v1": 90, "v2": 10})
    assert rollout(environment, **QUICK).prepare(resumed=True) is None
    assert (environment.live, environment.ups) == (
        {"v1": 100, "v2": 0},
        ["canary v2: before the first step refreshed"],
    )


def test_hooks_run_in_their_places() -> None:
    """Start, around each step, and at the end with the outcome."""
    hooks = [{"when": when, "run": when} for when in ("start", "before-step", "after-step", "end")]
    environment = FakeEnvironment()
    rollout(environment, hooks=hooks, **{**QUICK, "steps": [50]}).run()
    ran = [each for each in environment.said if each.startswith(("hook", "up"))]
    assert [each for each in ran if len(each.split()) > 2] == [
        "hook start 50",
        "hook before-step 50",
        "up canary v2: step 1/2, 50 %",
        "hook after-step 50",
        "hook before-step 100",
        "up canary v2: step 2/2, 100 %",
        "hook after-step 100",
        "hook end 100 promoted",
    ]


@pytest.mark.parametrize(
    ("on_failure", "outcome"),
    [("rollback", Outcome.rolled_back), ("stop", Outcome.held), ("ignore", Outcome.promoted)],
)
def test_a_failing_hook_does_what_the_plan_says(on_failure: str, outcome: Outcome) -> None:
    """Go back, stop as it is, or only say so."""
    hooks = [{"when": "after-step", "run": "load-test", "onFailure": on_failure}]
    environment = FakeEnvironment(hooks={"load-test": "exit code 1"})
    assert rollout(environment, hooks=hooks, **QUICK).run()[0] is outcome
    assert any("load-test: exit code 1" in each for each in (*environment.said, str(environment.notes)))


def test_a_query_of_the_teams_own_decides() -> None:
    """With a limit, or against the old version."""
    checks = [{"query": {"name": "queue", "promql": "q{v='$version'}", "timesOld": 2}}]
    environment = FakeEnvironment(values={"queue v1": 10, "queue v2": 19})
    assert rollout(environment, checks=checks, **QUICK).run()[0] is Outcome.promoted
    environment = FakeEnvironment(values={"queue v1": 10, "queue v2": 21})
    assert rollout(environment, checks=checks, **QUICK).run()[0] is Outcome.rolled_back


def test_a_query_without_data_is_no_verdict() -> None:
    """The plan decides what that means."""
    checks = [{"query": {"name": "queue", "promql": "q", "atMost": 2}}]
    environment = FakeEnvironment(values={"queue v2": None})
    outcome, why = rollout(environment, checks=checks, noData="stop", **QUICK).run()
    assert (outcome, why) == (Outcome.no_data, "queue: no data")


def test_mirror_and_header_steps_come_without_a_split() -> None:
    """Their figures are of copies, or of requests that the weights do not divide."""
    steps = [{"mirror": 50}, {"match": {"headers": {"x": "y"}}}, 100]
    environment = FakeEnvironment(skew=30)
    environment.at.append((60, lambda it: setattr(it, "skew", 0)))
    outcome, _ = rollout(environment, **{**QUICK, "steps": steps, "hold": "30s"}).run()
    assert outcome is Outcome.promoted


def test_the_rollback_window_goes_back_when_it_turns_bad() -> None:
    """With all the traffic, and the old version still there."""
    environment = FakeEnvironment()
    environment.at.append((120, lambda it: it.errors.update(v2=0.5)))
    outcome, _ = rollout(environment, rollbackWindow="5m", **QUICK).run()
    assert outcome is Outcome.rolled_back
    assert [weights["v2"] for _, weights in environment.history] == [10, 50, 100, 0]


def test_old_versions_go_in_the_end_if_the_plan_says_so() -> None:
    """By an update of their own, after everything else."""
    environment = FakeEnvironment()
    assert rollout(environment, removeOld=True, **QUICK).run()[0] is Outcome.promoted
    assert environment.removed == {"v1"}
    assert environment.ups[-1] == "canary v2: v1 removed"
