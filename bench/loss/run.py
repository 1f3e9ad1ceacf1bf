"""Rounds of all changes under load, in as many runs as it takes: each row is kept as soon as it is there."""

import datetime as dt
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench.kept import keep
from bench.loss.rows import NOTHING, Row, Side, read
from bench.loss.without import MECHANISMS, Without, without
from tests.e2e import load
from tests.e2e.changes import CHANGES, base, settle
from tests.e2e.conftest import Stack, stacks_in

ROUNDS: Final = 10
ROUNDS_WITHOUT: Final = 3
RATES: Final = (1000, 750, 500, 250)
"""Requests a second from each side; the first that the machine holds is the one for all rounds."""
QUIET_SECONDS: Final = 20
LAST_SECONDS: Final = 90
"""No round is begun so shortly before the time is over: the slowest took that long."""

NAMESPACE: Final = "bench-loss"
HOST: Final = f"springbootapp.{NAMESPACE}.svc.cluster.local:8080"
LOGGERS: Final = {"istio_system": "istio=ingressgateway", NAMESPACE.replace("-", "_"): "app"}


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
    """List the rounds that are left, in their order."""
    left = []
    rounds = [(Round(change=change), ROUNDS) for change in CHANGES]
    rounds += [
        (Round(change=change, mechanism=each), ROUNDS_WITHOUT)
        for each in MECHANISMS
        for change in each.changes
    ]
    for each, count in rounds:
        done = sum((row.change, row.without) == (each.change, each.without) for row in rows)
        left += [(nth, each) for nth in range(done, count)]
    return [each for _, each in sorted(left, key=lambda pair: pair[0])]


def rate(rows: list[Row]) -> int:
    """Tell the rate that the machine holds while nothing changes; 0: not known yet."""
    return max((row.rate for row in rows if row.change == NOTHING and row.held and not row.failed), default=0)


def _measured(stack: Stack, file: Path, ends: float) -> Iterator[Row]:
    for asked in RATES:
        if rate(read(file)):
            break
        yield _row(stack, Round(change=NOTHING), asked, lambda _: time.sleep(QUIET_SECONDS))
    for each in todo(read(file)):
        if time.monotonic() > ends - LAST_SECONDS:
            return
        with without(each.mechanism, stack.shell.folder):
            if each.mechanism:
                stack.up()
            yield _row(stack, each, rate(read(file)), CHANGES[each.change])
        if each.mechanism:
            stack.up()


def _row(stack: Stack, of: Round, asked: int, change: Callable[[Stack], None]) -> Row:
    begun = time.monotonic()
    outside = load.from_here("http://127.0.0.1:31380/hello", rate=asked, host=f"{NAMESPACE}.example.com")
    inside = load.from_mesh(stack.shell, NAMESPACE, f"http://{HOST}/hello", rate=asked, host=HOST)
    with outside, inside:
        change(stack)
        settle(stack)
    seconds = time.monotonic() - begun
    return Row(
        change=of.change,
        without=of.without,
        rate=asked,
        at=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        seconds=seconds,
        ingress=_side(outside.report),
        mesh=_side(inside.report),
        flags=dict(load.flags(stack.shell, int(seconds) + 1, **LOGGERS)),
    )


def _side(report: load.Report) -> Side:
    return Side(
        requests=report.requests,
        failed=report.failed,
        rate=report.rate,
        p99=report.p99_milliseconds,
        first=report.failures[:5],
    )
