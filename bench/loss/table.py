"""A row for each round, and the tables of all."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bench.changes import CHANGES
from bench.loss.mechanisms import MECHANISMS
from bench.results import markdown

COLUMNS: Final = (
    "change and back",
    "rounds",
    "rate",
    "requests",
    "failed",
    "flags",
    "least held",
    "p99 up to, ms",
)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One round of one change under load; what has two values is of the ingress and of the mesh."""

    change: str
    without: str
    """The mechanism that was taken away; empty: none."""
    at: str
    seconds: float
    asked: Sequence[int]
    """The rates of the round, in requests a second."""
    rates: Sequence[float]
    """Requests a second that were really sent."""
    requests: Sequence[int]
    failed: Sequence[int]
    """Those without a good answer, and those that a version of weight 0 answered."""
    p99: Sequence[float]
    """Milliseconds."""
    flags: Mapping[str, int]
    """Failures in the proxies' logs, by status and Envoy's response flag; each request passes two proxies."""
    first: Sequence[str]
    """The first failures: moment, status, reason."""

    @property
    def least_held(self) -> float:
        """The share of the rate that the slower side sent: a lower one than HELD proves little."""
        return min(rate / asked for rate, asked in zip(self.rates, self.asked, strict=True))


def table(rows: Sequence[Row]) -> Iterator[str]:
    """Write a line for each change with everything in place, and for each mechanism that was taken away."""
    complete = [row for row in rows if not row.without]
    by_change = [(name, [row for row in complete if row.change == name]) for name in CHANGES]
    lines = [(name, *_cells(found)) for name, found in [*by_change, ("all", complete)] if found]
    yield from (
        "Each change with everything in place:",
        "",
        *markdown(COLUMNS, lines),
        "",
        "What is lost without a mechanism:",
        "",
    )
    by_mechanism = [
        (each["name"], [row for row in rows if row.without == each["name"]]) for each in MECHANISMS
    ]
    lines = [(name, found[0].change, *_cells(found)) for name, found in by_mechanism if found]
    yield from markdown(("without", *COLUMNS), lines)


def _cells(rows: Sequence[Row]) -> tuple[str, ...]:
    """Return the cells of some rounds, without their name."""
    rates = Counter(" + ".join(map(str, row.asked)) for row in rows)
    flags = sum((Counter(row.flags) for row in rows), Counter[str]())
    return (
        str(len(rows)),
        str(*rates) if len(rates) == 1 else ", ".join(f"{count} at {rate}" for rate, count in rates.items()),
        f"{sum(sum(row.requests) for row in rows):,}",
        f"{sum(sum(row.failed) for row in rows):,}",
        ", ".join(f"{flag}: {count}" for flag, count in flags.most_common()) or "-",
        f"{min(row.least_held for row in rows):.1%}",
        f"{max(max(row.p99) for row in rows):.0f}",
    )
