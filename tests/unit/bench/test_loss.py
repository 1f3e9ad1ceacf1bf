"""The benchmark of lost requests: what it takes away is there, rounds add up, the table counts failures."""

import ast
from pathlib import Path
from typing import Any

import pytest

from bench.changes import CHANGES
from bench.commands import CHECKOUT
from bench.loss.measure import ROUNDS, ROUNDS_WITHOUT, remaining, rows
from bench.loss.mechanisms import MECHANISMS, without
from bench.loss.table import Row, table
from bench.results import append


def row(change: str, *, mechanism: str = "", failed: int = 0, held: float = 1) -> Row:
    """Make one round of 1,000 requests from each side."""
    return Row(
        change=change,
        without=mechanism,
        at="2026-11-25T10:00:00+00:00",
        seconds=2,
        asked=(500, 100),
        rates=(500 * held, 100),
        requests=(1000, 1000),
        failed=(failed, 0),
        p99=(20.4, 10),
        flags={"503 UH": failed} if failed else {},
        first=(),
    )


@pytest.mark.parametrize("mechanism", MECHANISMS, ids=lambda each: str(each["name"]))
def test_what_is_taken_away_is_there(mechanism: dict[str, Any], tmp_path: Path) -> None:
    """A program that has changed since fails here, and not as a number that says nothing."""
    components = tmp_path / "components"
    components.symlink_to(CHECKOUT / "components")
    with without(mechanism["name"], tmp_path):
        for edit in mechanism["edits"]:
            changed = (components / edit["file"]).read_text()
            ast.parse(changed)
            assert changed != (CHECKOUT / "components" / edit["file"]).read_text()
    assert components.resolve() == CHECKOUT / "components"
    assert mechanism["change"] in CHANGES


def test_rounds_add_up(tmp_path: Path) -> None:
    """A run continues where the last one ended: one of each before the second of any."""
    file = tmp_path / "rows.jsonl"
    first, second = list(CHANGES)[:2]
    append(file, row(first))
    left = remaining(rows(tmp_path))
    assert left[0] == (second, "")
    append(file, row(second, held=0.9))
    assert left == remaining(rows(tmp_path))
    assert [mechanism for _, mechanism in left].index(MECHANISMS[0]["name"]) == len(CHANGES) * ROUNDS - 1
    assert len(left) == len(CHANGES) * ROUNDS + len(MECHANISMS) * ROUNDS_WITHOUT - 1
    assert left.index((first, "")) == len(CHANGES) - 1


def test_the_table_counts_every_failure() -> None:
    """By flag, without a mechanism and with it."""
    name, change = MECHANISMS[0]["name"], MECHANISMS[0]["change"]
    lines = list(table([row(change), row(change, failed=2), row(change, mechanism=name, failed=15)]))
    assert f"| {change} | 2 | 500 + 100 | 4,000 | 2 | 503 UH: 2 | 100.0% | 20 |" in lines
    assert "| all | 2 | 500 + 100 | 4,000 | 2 | 503 UH: 2 | 100.0% | 20 |" in lines
    assert f"| {name} | {change} | 1 | 500 + 100 | 2,000 | 15 | 503 UH: 15 | 100.0% | 20 |" in lines
