"""A canary that goes on, as its journal has it."""

from pathlib import Path

import pytest

from operations.canary.fixed_routes import FixedRoute
from operations.canary.journal.journal import Journal
from operations.canary.journal.run import Canary
from operations.canary.outcome import Outcome
from operations.errors import OperationError
from operations.pulumi_stack.services import MeshService
from tests.unit.operations.canary.environments import FakeEnvironment

NEW = Canary(
    service=MeshService(
        name="shop",
        namespace="shops",
        weights={"v1": 100, "v2": 0},
        deployments={"v1": "shop-v1", "v2": "shop-v2"},
        hosts={"shop": None},
    ),
    to="v2",
    declared={"steps": [10, 100]},
    before={"v1": 100, "v2": 0},
    divided=True,
    brought=True,
    fixed=(FixedRoute(name="legacy", conditions={"uri": "/legacy"}, to={"v1": 100}),),
)
WITHOUT = MeshService(
    name="shop",
    namespace="shops",
    weights={"v1": 100},
    deployments={"v1": "shop-v1"},
    hosts={"shop": None},
)


@pytest.fixture
def record(tmp_path: Path) -> Journal:
    """The journal of a canary that has begun."""
    made = Journal(folder=tmp_path)
    NEW.note(made, 0)
    return made


def test_it_is_what_it_was(record: Journal) -> None:
    """Plan, weights and whose pods they are."""
    assert Canary.of(record.entries(), [NEW.service]) == NEW


def test_its_end_knows_the_routes_that_it_did_not_move(record: Journal) -> None:
    """Also where another process goes on with it."""
    one = Canary.of(record.entries(), [NEW.service])
    assert one.rollout(FakeEnvironment(), "prod").promote()[1].endswith("; route legacy still goes to v1")


def test_a_pause_outlives_the_process(record: Journal) -> None:
    """By hand, or by the plan after a step; until somebody said to go on."""
    record.note("paused", by="hand")
    assert Canary.of(record.entries(), [NEW.service]).paused
    record.note("resumed")
    assert not Canary.of(record.entries(), [NEW.service]).paused
    record.note("paused", by="plan", step=0)
    one = Canary.of(record.entries(), [NEW.service])
    assert (one.paused, one.paused_after) == (False, 0)
    record.note("step", step=0, description="10 %")
    assert Canary.of(record.entries(), [NEW.service]).paused_after == 0
    record.note("resumed")
    assert Canary.of(record.entries(), [NEW.service]).paused_after is None


def test_it_knows_whether_a_step_had_begun(record: Journal) -> None:
    """Until then no routes but those of before can be its own, whatever weights the plan's steps have."""
    assert not Canary.of(record.entries(), [NEW.service]).stepped
    record.note("step", step=0, description="10 %")
    assert Canary.of(record.entries(), [NEW.service]).stepped


def test_the_way_back_goes_on_as_what_it_was(record: Journal) -> None:
    """Also where the new version has left the stack file already; a step forward ends it."""
    record.note("back", outcome="aborted", why="aborted manually")
    assert Canary.of(record.entries(), [WITHOUT]).rolling_back == (Outcome.aborted, "aborted manually")
    record.note("step", step=0, description="10 %")
    assert Canary.of(record.entries(), [NEW.service]).rolling_back is None


def test_a_version_that_somebody_took_away_is_missed(record: Journal) -> None:
    """On its way forward the canary cannot do without it."""
    with pytest.raises(OperationError, match="no shop v2 any more"):
        Canary.of(record.entries(), [WITHOUT])


def test_pods_that_had_requests_before_a_kill_do_not_warm_up_again(
    record: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the default 20 s from their first requests on, what is left; a clock that moved adds nothing."""
    record.note("applied", step=0, weights={"v1": 90, "v2": 10})
    first = record.entries()[-1]["time"]

    def left(seconds: float) -> float:
        monkeypatch.setattr("operations.canary.journal.run.time.time", lambda: first + seconds)
        canary = Canary.of(record.entries(), [NEW.service])
        return canary.rollout(FakeEnvironment(), "prod").analysis.warm_up

    assert [left(seconds) for seconds in (0, 5, 100, -100)] == pytest.approx([20, 15, 0, 20])
    assert NEW.rollout(FakeEnvironment(), "prod").analysis.warm_up == 20
