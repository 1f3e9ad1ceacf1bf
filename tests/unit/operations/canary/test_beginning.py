"""Whether a canary can begin."""

from dataclasses import replace

import pytest

from operations.canary.beginning import can_judge
from operations.figures.errors import FiguresError
from tests.unit.operations.canary.test_journal import NEW
from tests.unit.operations.canary.worlds import REFUSED, FakeWorld

ASKS = replace(NEW, declared={"checks": [{"query": {"name": "queue", "promql": "max(", "atMost": 1}}]})


def test_a_query_that_prometheus_refuses_is_told_before_anything_begins() -> None:
    """The first step would wait for it forever."""
    with pytest.raises(FiguresError, match="refused"):
        can_judge(FakeWorld(values={"queue v1": REFUSED}), ASKS)


@pytest.mark.parametrize("value", [0.5, None], ids=["a value", "no data yet"])
def test_a_query_that_it_takes_is_enough(value: float | None) -> None:
    """Whatever it says: nothing is judged before a step."""
    can_judge(FakeWorld(values={"queue v1": value}), ASKS)


def test_without_prometheus_nothing_begins() -> None:
    """Also where the plan has no query of its own."""
    with pytest.raises(FiguresError, match="down"):
        can_judge(FakeWorld(prometheus=False), NEW)
