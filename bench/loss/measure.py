"""Rounds of all changes under load, in as many runs as it takes."""

import datetime as dt
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from bench import changes, load
from bench.loss.mechanisms import MECHANISMS, without
from bench.loss.table import Row
from bench.results import append, stored
from bench.stack import Stack, deployed

ROUNDS: Final = 10
ROUNDS_WITHOUT: Final = 3
RATE, MESH_RATE = 1000, 300
"""Requests a second through the ingress and in the mesh, which two cores can send and answer."""
LAST_SECONDS: Final = 90
"""No round is started when less time than this is left: the slowest took that long."""
NAME: Final = "bench-loss"
"""Of stack and namespace."""


def measure(folder: Path, seconds: float) -> Iterator[Row]:
    """Continue with the rounds for some time, one of each before the second of any."""
    ends = time.monotonic() + seconds
    stack = Stack.at(folder / "program", NAME, changes.base(NAME))
    with deployed(stack), load.client(NAME):
        for change, mechanism in remaining(rows(folder)):
            if time.monotonic() > ends - LAST_SECONDS:
                return
            with without(mechanism, stack.folder):
                stack.up()
                row = _row(stack, change, mechanism)
            append(folder / "rows.jsonl", row)
            yield row


def rows(folder: Path) -> list[Row]:
    """Return what was measured so far."""
    return [Row(**each) for each in stored(folder / "rows.jsonl")]


def remaining(found: Sequence[Row]) -> list[tuple[str, str]]:
    """List the rounds that are left, each a change and the mechanism that is taken away, if any.

    Those with everything in place are first, one of each before the next. A round that did not hold the rate
    is made again, and stays in the table.
    """
    complete = [(change, "") for change in changes.CHANGES]
    lacking = [(each["change"], each["name"]) for each in MECHANISMS]
    done = Counter((row.change, row.without) for row in found if row.least_held >= load.HELD)
    return [
        each
        for rounds, count in ((complete, ROUNDS), (lacking, ROUNDS_WITHOUT))
        for nth in range(count)
        for each in rounds
        if nth >= done[each]
    ]


def _row(stack: Stack, change: str, mechanism: str) -> Row:
    def happens() -> None:
        changes.make(change, stack)
        changes.settle(stack)

    at, started = dt.datetime.now(dt.UTC).isoformat(timespec="seconds"), time.monotonic()
    both, flags = load.both_ways(NAME, happens, ingress=RATE, mesh=MESH_RATE)
    return Row(
        change=change,
        without=mechanism,
        at=at,
        seconds=time.monotonic() - started,
        asked=(RATE, MESH_RATE),
        rates=[each.rate for each in both],
        requests=[each.requests for each in both],
        failed=[each.failed + each.answers[changes.WEIGHTLESS] for each in both],
        p99=[each.p99_milliseconds for each in both],
        flags=dict(flags),
        first=[failure for each in both for failure in each.failures[:5]],
    )
