"""The plan as the stack file declares it."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from operations.canary.analysis.checks import Finding, Verdict, overall
from operations.canary.plan import Plan
from operations.canary.terminal.text import clock
from operations.canary.traffic import heaviest, of_step, roll_back, shares
from operations.kube.manifests import manifests
from operations.pulumi_stack.program import declare
from tests.unit.operations.projects import project
from tests.unit.stacks import WALKTHROUGH, with_changes

WEIGHTS = st.dictionaries(st.sampled_from(["v1", "v2", "v3", "v4"]), st.integers(0, 100), min_size=2).filter(
    lambda drawn: sum(drawn.values()) > 0
)


def test_a_plan_always_ends_with_everything() -> None:
    """Said or not."""
    assert [step.weight for step in Plan.of({"steps": [5, 20]}).steps] == [5, 20, 100]
    assert [step.weight for step in Plan.of({"steps": [5, 100]}).steps] == [5, 100]


def test_a_step_has_its_own_time_or_that_of_all() -> None:
    """In seconds."""
    plan = Plan.of({"steps": [5, {"weight": 20, "hold": "1m30s"}], "hold": "10s"})
    assert [step.hold for step in plan.steps] == [10, 90, 10]


def test_the_program_deploys_nothing_for_a_plan(tmp_path: Any) -> None:  # noqa: ANN401 - pytest's
    """With and without it, every object is the same."""
    plan = {"steps": [5, {"mirror": 10}], "hooks": [{"when": "start", "run": "true"}]}
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    without = project(tmp_path / "a", "mine", WALKTHROUGH)
    planned = project(tmp_path / "b", "mine", with_changes(canary={**plan, "steps": [5, 50]}))
    assert manifests(declare(without, "mine")) == manifests(declare(planned, "mine"))


@given(WEIGHTS, st.data())
def test_the_others_share_the_rest_as_before(before: dict[str, int], data: st.DataObject) -> None:
    """Whole percents that sum to 100, each within one of its exact part."""
    to = data.draw(st.sampled_from(sorted(before)))
    others = sum(weight for version, weight in before.items() if version != to)
    if not others:
        return
    weight = data.draw(st.integers(0, 100))
    given_ = shares(before, to, weight)
    assert sum(given_.values()) == 100
    assert given_[to] == weight
    for version in before.keys() - {to}:
        exact = (100 - weight) * before[version] / others
        assert abs(given_[version] - exact) < 1
        assert given_[version] == 0 or before[version] > 0


def test_traffic_of_a_step_and_back() -> None:
    """A step with conditions decides their version by a route above all, and copies where it says so."""
    plan = Plan.of({"steps": [{"match": {"headers": {"a": "b"}}, "mirror": 10}, 50]})
    first = of_step(plan.steps[0], plan, "v2", {"v1": 60, "v3": 40, "v2": 0})
    assert first.weights == {"v1": 60, "v3": 40, "v2": 0}
    assert first.route == {"name": "canary", "headers": {"a": "b"}, "to": "v2", "inherit": True}
    assert first.mirror == {"to": "v2", "percent": 10}
    later = of_step(plan.steps[1], plan, "v2", {"v1": 60, "v3": 40, "v2": 0})
    assert (later.weights, later.route, later.mirror) == ({"v1": 30, "v3": 20, "v2": 50}, None, None)
    assert roll_back(plan, "v2", {"v1": 60, "v3": 30, "v2": 10}).weights == {"v1": 67, "v3": 33, "v2": 0}
    assert heaviest({"v1": 20, "v3": 30, "v2": 50}, "v2") == "v3"


def test_one_word_for_all() -> None:
    """Bad outweighs unknown, which outweighs unsure, which outweighs good."""

    def of(*verdicts: Verdict) -> Verdict:
        return overall([Finding(check="x", verdict=each, description="") for each in verdicts])

    good, unsure, unknown, bad = Verdict.good, Verdict.unsure, Verdict.unknown, Verdict.bad
    assert of(good, good) is good
    assert of(good, unsure) is unsure
    assert of(unsure, unknown, good) is unknown
    assert of(good, unknown, bad, unsure) is bad


def test_times_are_written_with_minutes_and_hours() -> None:
    """`1:05`, `1:01:01`."""
    assert [clock(length) for length in (5, 65, 3661)] == ["0:05", "1:05", "1:01:01"]
