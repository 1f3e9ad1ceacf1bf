"""What was measured so far, a line for each round, and the tables of it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.kept import kept
from bench.loss.without import MECHANISMS
from tests.e2e.changes import CHANGES
from tests.e2e.load import HELD

NOTHING: Final = "nothing changes"
QUEUED: Final = 1000.0
"""Milliseconds that one request in a hundred may take while nothing changes, the slow ones of 3 s aside."""


@dataclass(frozen=True, kw_only=True)
class Side:
    """One caller's requests: through the ingress, or in the mesh."""

    asked: int
    """Requests a second that the round asked for."""
    requests: int
    failed: int
    """Those without a good answer, and those that a version of weight 0 answered."""
    rate: float
    """Requests a second that were really asked."""
    p99: float
    """Milliseconds."""
    first: Sequence[str]
    """The first failures: moment, status, reason."""

    @property
    def steady(self) -> bool:
        """Whether the rate was held."""
        return self.rate >= HELD * self.asked


@dataclass(frozen=True, kw_only=True)
class Row:
    """One round of one change under load."""

    change: str
    without: str
    """The mechanism that was taken away; empty: none."""
    at: str
    seconds: float
    ingress: Side
    mesh: Side
    flags: Mapping[str, int]
    """Failures that proxies logged, by status and Envoy's response flag; each request passes two proxies."""

    @property
    def sides(self) -> tuple[Side, Side]:
        """Both callers."""
        return self.ingress, self.mesh

    @property
    def asked(self) -> tuple[int, int]:
        """Requests a second that were asked for through the ingress and in the mesh."""
        return self.ingress.asked, self.mesh.asked

    @property
    def steady(self) -> bool:
        """Whether the rate was held from both sides: what was asked less often proves little."""
        return all(side.steady for side in self.sides)

    @property
    def quiet(self) -> bool:
        """Whether besides no requests queued and none failed."""
        return self.steady and not self.failed and all(side.p99 <= QUEUED for side in self.sides)

    @property
    def failed(self) -> int:
        """Requests that had no good answer."""
        return sum(side.failed for side in self.sides)


def read(file: Path) -> list[Row]:
    """Read all rows."""
    return [
        Row(**{**each, "ingress": Side(**each["ingress"]), "mesh": Side(**each["mesh"])})
        for each in kept(file)
    ]


def tables(rows: Sequence[Row]) -> list[str]:
    """Write what the machine holds, each change, and each mechanism's before and after."""
    changes = [
        (name, [each for each in rows if each.change == name and not each.without]) for name in CHANGES
    ]
    return [
        "What the machine holds while nothing changes:",
        "",
        "| asked: ingress + mesh | ingress | mesh | failed | p99 ingress, ms | p99 mesh, ms |",
        "|---|---:|---:|---:|---:|---:|",
        *(_capacity(row) for row in rows if row.change == NOTHING),
        "",
        (
            "Each change with everything in place. Least held: the share of the requests asked for that the "
            "slower side sent in its slowest round; `pulumi up` takes its share of the cores."
        ),
        "",
        "| change and back | rounds | rate | requests | failed | flags | least held | p99 up to, ms |",
        "|---|---:|---|---:|---:|---|---:|---:|",
        *(_change(name, found) for name, found in changes if found),
        _change("all", [row for _, found in changes for row in found]),
        "",
        "What is lost without a mechanism, and with it:",
        "",
        "| without | change | rounds | rate | requests | failed | flags | failed with it |",
        "|---|---|---:|---|---:|---:|---|---:|",
        *_before_and_after(rows),
    ]


def _capacity(row: Row) -> str:
    rates = " | ".join(f"{side.rate:.0f}" for side in row.sides)
    slow = " | ".join(f"{side.p99:.0f}" for side in row.sides)
    return f"| {_rates([row])} | {rates} | {row.failed} | {slow} |"


def _change(name: str, rows: Sequence[Row]) -> str:
    least = min((side.rate / side.asked for row in rows for side in row.sides), default=0)
    slow = max((side.p99 for row in rows for side in row.sides), default=0)
    return (
        f"| {name} | {len(rows)} | {_rates(rows)} | {_requests(rows)} | {_failed(rows)} | {_flags(rows)} "
        f"| {least:.1%} | {slow:.0f} |"
    )


def _before_and_after(rows: Sequence[Row]) -> Iterable[str]:
    for mechanism in MECHANISMS:
        for change in mechanism.changes:
            found = [row for row in rows if (row.without, row.change) == (mechanism.name, change)]
            whole = [row for row in rows if (row.without, row.change) == ("", change)]
            if found:
                yield (
                    f"| {mechanism.name} | {change} | {len(found)} | {_rates(found)} | {_requests(found)} "
                    f"| {_failed(found)} | {_flags(found)} | {_failed(whole)} of {_requests(whole)} |"
                )


def _rates(rows: Sequence[Row]) -> str:
    """Name the rates of the rounds, with their number where there are several."""
    counted = Counter("{} + {}".format(*row.asked) for row in rows)
    if len(counted) == 1:
        return str(*counted)
    return ", ".join(f"{count} at {asked}" for asked, count in counted.most_common())


def _requests(rows: Sequence[Row]) -> str:
    return f"{sum(side.requests for row in rows for side in row.sides):,}"


def _failed(rows: Sequence[Row]) -> str:
    return f"{sum(row.failed for row in rows):,}"


def _flags(rows: Sequence[Row]) -> str:
    counted: Counter[str] = Counter()
    for row in rows:
        counted.update(row.flags)
    return ", ".join(f"{flag}: {count}" for flag, count in counted.most_common()) or "-"
