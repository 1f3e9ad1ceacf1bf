"""The bench of lost requests: what it takes away is there, rounds add up, its table counts all failures."""

import ast
from collections.abc import Mapping
from pathlib import Path

import pytest

from bench.kept import keep
from bench.loss.rows import Row, Side, read, tables
from bench.loss.run import ROUNDS, ROUNDS_WITHOUT, rates, todo
from bench.loss.without import MECHANISMS, Without, without
from tests.e2e.changes import CHANGES
from tests.e2e.conftest import CHECKOUT

NONE: Mapping[str, int] = {}


def row(change: str, *, mechanism: str = "", failed: int = 0, held: float = 1, of: int = 500) -> Row:
    """Make one round of 1,000 requests from each side."""
    ingress = Side(asked=of, requests=1000, failed=failed, rate=of * held, p99=20.4, first=())
    mesh = Side(asked=100, requests=1000, failed=0, rate=100, p99=10, first=())
    flags = {"503 UH": failed} if failed else NONE
    return Row(
        change=change,
        without=mechanism,
        at="2026-11-25T10:00:00+00:00",
        seconds=2,
        ingress=ingress,
        mesh=mesh,
        flags=flags,
    )


@pytest.mark.parametrize("mechanism", MECHANISMS, ids=lambda each: each.name)
def test_what_is_taken_away_is_there(mechanism: Without, tmp_path: Path) -> None:
    """A program that has changed since fails here, and not as a figure that says nothing."""
    (tmp_path / "components").symlink_to(CHECKOUT / "components")
    with without(mechanism, tmp_path):
        for edit in mechanism.edits:
            changed = (tmp_path / edit.file).read_text()
            ast.parse(changed)
            assert changed != (CHECKOUT / edit.file).read_text()
    assert (tmp_path / "components").resolve() == CHECKOUT / "components"
    assert set(mechanism.changes) <= CHANGES.keys()


def test_rounds_add_up(tmp_path: Path) -> None:
    """A run goes on where the last one ended: one of each before the second of any."""
    file = tmp_path / "rows.jsonl"
    first, second = list(CHANGES)[:2]
    keep(file, row(first))
    left = [(each.change, each.without) for each in todo(read(file))]
    assert left[0] == (second, "")
    keep(file, row(second, held=0.9))
    assert left == [(each.change, each.without) for each in todo(read(file))]
    assert [mechanism for _, mechanism in left].index(MECHANISMS[0].name) == len(CHANGES) * ROUNDS - 1
    whole = len(CHANGES) * ROUNDS + sum(len(each.changes) for each in MECHANISMS) * ROUNDS_WITHOUT
    assert len(left) == whole - 1
    assert left.index((first, "")) == len(CHANGES) - 1


def test_the_rate_is_one_that_the_machine_holds() -> None:
    """Where nothing changes, from both sides, without a failure."""
    quiet = "nothing changes"
    assert rates([row(quiet, held=0.7, of=1000), row(quiet, failed=1, of=750)]) is None
    assert rates([row(quiet, held=0.7, of=1000), row(quiet, of=500)]) == (500, 100)


def test_the_table_counts_every_failure() -> None:
    """By flag, and with its before and after."""
    change = MECHANISMS[0].changes[0]
    rows = [row(change), row(change, failed=2), row(change, mechanism=MECHANISMS[0].name, failed=15)]
    lines = tables(rows)
    assert f"| {change} | 2 | 500 + 100 | 4,000 | 2 | 503 UH: 2 | 100.0% | 20 |" in lines
    assert "| all | 2 | 500 + 100 | 4,000 | 2 | 503 UH: 2 | 100.0% | 20 |" in lines
    assert (
        f"| {MECHANISMS[0].name} | {change} | 1 | 500 + 100 | 2,000 | 15 | 503 UH: 15 | 2 of 4,000 |" in lines
    )
