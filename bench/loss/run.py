"""Rounds of all changes under load, in as many runs as it takes: each row is kept as soon as it is there."""

import datetime as dt
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench.kept import keep
from bench.loss.rows import NOTHING, Row, Side, read
from bench.loss.without import MECHANISMS, Without, without
from tests.e2e import load
from tests.e2e.changes import CHANGES, WEIGHTLESS, base, settle
from tests.e2e.conftest import Stack, stacks_in

ROUNDS: Final = 10
ROUNDS_WITHOUT: Final = 3
RATES: Final = ((1000, 1000), (1000, 300), (500, 150))
"""Requests a second through the ingress and in the mesh; the first pair that the machine holds is for all."""
QUIET_SECONDS: Final = 20
LAST_SECONDS: Final = 90
"""No round is begun so shortly before the time is over: the slowest took that long."""

NAMESPACE: Final = "bench-loss"


@dataclass(frozen=True, kw_only=True)
class Round:
    """One to be made."""

    change: str
    mechanism: Without | None = None

    @property
    def without(self) -> str:
        """The mechanism's name, as rows have it."""
        return self.mechanism.name if self.mechanism else ""


def run(folder: Path, seconds: float) -> Iterator[Row]:
    """Go on with the rounds for so long, one of each before the second of any."""
    ends = time.monotonic() + seconds
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "rows.jsonl"
    with TemporaryDirectory() as scratch, stacks_in(Path(scratch)) as make:
        stack = make("loss", **base(NAMESPACE))
        stack.up()
        with load.caller(stack.shell, NAMESPACE):
            for each in _measured(stack, file, ends):
                keep(file, each)
                yield each


def todo(rows: list[Row]) -> list[Round]:
    """List the rounds that are left: first those with everything in place, one of each before the next.

    A round that lost the rate is made again, and stays in the table.
    """
    whole = [Round(change=change) for change in CHANGES]
    lacking = [Round(change=change, mechanism=each) for each in MECHANISMS for change in each.changes]
    done = Counter((row.change, row.without) for row in rows if row.steady)
    return [
        each
        for rounds, count in ((whole, ROUNDS), (lacking, ROUNDS_WITHOUT))
        for nth in range(count)
        for each in rounds
        if nth >= done[each.change, each.without]
    ]


def rates(rows: list[Row]) -> tuple[int, int] | None:
    """Tell the rates that the machine holds while nothing changes; None: not known yet."""
    return next((row.asked for row in rows if row.change == NOTHING and row.quiet), None)


def _measured(stack: Stack, file: Path, ends: float) -> Iterator[Row]:
    for asked in RATES:
        if rates(read(file)):
            break
        yield _row(stack, Round(change=NOTHING), asked, lambda _: time.sleep(QUIET_SECONDS))
    held = rates(read(file))
    if held is None:
        message = f"the machine holds no rate of {RATES} while nothing changes: is something else at work?"
        raise RuntimeError(message)
    for each in todo(read(file)):
        if time.monotonic() > ends - LAST_SECONDS:
            return
        with without(each.mechanism, stack.shell.folder):
            if each.mechanism:
                stack.up()
            yield _row(stack, each, held, CHANGES[each.change])
        if each.mechanism:
            stack.up()


def _row(stack: Stack, of: Round, asked: tuple[int, int], change: Callable[[Stack], None]) -> Row:
    def happens() -> None:
        change(stack)
        settle(stack)

    through, within = asked
    seen = load.both_ways(stack.shell, NAMESPACE, happens, ingress=through, mesh=within)
    return Row(
        change=of.change,
        without=of.without,
        at=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        seconds=seen.seconds,
        ingress=_side(through, seen.ingress),
        mesh=_side(within, seen.mesh),
        flags=dict(seen.flags),
    )


def _side(asked: int, report: load.Report) -> Side:
    return Side(
        asked=asked,
        requests=report.requests,
        failed=report.failed + report.answers[WEIGHTLESS],
        rate=report.rate,
        p99=report.p99_milliseconds,
        first=report.failures[:5],
    )
