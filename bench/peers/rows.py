"""What was measured so far, a line for each release, and the table of it."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from bench.answers import RATE
from bench.kept import kept
from bench.peers.app import HOLD_SECONDS, PROMOTED, ROLLED_BACK, STEPS
from bench.peers.happened import Split

WANTED: Final[Mapping[str, str]] = {"good": PROMOTED, "bad": ROLLED_BACK}
"""How a v2 of each kind should end."""
MINUTE_REQUESTS: Final = 60 * RATE
BEFORE_ALL_SECONDS: Final = HOLD_SECONDS * (len(STEPS) - 1)
"""Of analysis, before everybody has the new version."""
ALL_SECONDS: Final = HOLD_SECONDS * len(STEPS)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One release of one tool."""

    tool: str
    v2: str
    """`good` or `bad`."""
    at: str
    ended: str
    """What the tool says: promoted, rolled back, or something else."""
    said: float
    """Seconds from the start until it said so."""
    reached: float
    """Seconds from the start to v1's last answer where v2 is good; from v2's first bad answer to its last."""
    requests: int
    lost: int
    """Failed, and not by v2 itself."""
    bad: int
    """Failed by v2 itself."""
    seen: int
    """Answered by v2, well or badly."""
    splits: Sequence[Split]

    @property
    def as_wanted(self) -> bool:
        """Whether it ended as such a v2 should."""
        return self.ended == WANTED[self.v2]


def read(file: Path) -> list[Row]:
    """Read all rows."""
    return [Row(**{**each, "splits": [Split(**split) for split in each["splits"]]}) for each in kept(file)]


def columns(rows: Sequence[Row], tools: Sequence[str]) -> list[str]:
    """Write a column for each tool: medians, with the least and the most."""

    def line(what: str, v2: str, cell: Callable[[Sequence[Row]], str]) -> str:
        cells = [cell([row for row in rows if (row.tool, row.v2) == (tool, v2)]) for tool in tools]
        return f"| {what} | {' | '.join(cells)} |"

    def both(what: str, cell: Callable[[Sequence[Row]], str]) -> str:
        cells = [cell([row for row in rows if row.tool == tool]) for tool in tools]
        return f"| {what} | {' | '.join(cells)} |"

    return [
        f"| | {' | '.join(tools)} |",
        f"|---|{'---|' * len(tools)}",
        line("good v2: promoted", "good", _wanted),
        line(
            f"start to everybody on v2, less {BEFORE_ALL_SECONDS} s of analysis, s",
            "good",
            lambda found: _spread([row.reached - BEFORE_ALL_SECONDS for row in found]),
        ),
        line(
            f"start to `promoted`, less {ALL_SECONDS} s of analysis, s",
            "good",
            lambda found: _spread([row.said - ALL_SECONDS for row in found]),
        ),
        line("bad v2: rolled back", "bad", _wanted),
        line(
            "first bad answer to everybody back on v1, s",
            "bad",
            lambda found: _spread([row.reached for row in found]),
        ),
        line("requests that v2 failed", "bad", lambda found: _spread([row.bad for row in found], digits=0)),
        line(
            "answers by the bad v2, in % of a minute's requests",
            "bad",
            lambda found: _spread([100 * row.seen / MINUTE_REQUESTS for row in found]),
        ),
        both("requests failed by anything else, in all releases", _lost),
        *(
            both(f"split at {weight} %: within its 99 % interval", partial(_splits, weight))
            for weight in STEPS[:-1]
        ),
    ]


def _wanted(rows: Sequence[Row]) -> str:
    return f"{sum(row.as_wanted for row in rows)} of {len(rows)}"


def _spread(values: Sequence[float], digits: int = 1) -> str:
    if not values:
        return "-"
    middle, least, most = statistics.median(values), min(values), max(values)
    return f"{middle:.{digits}f} ({least:.{digits}f} to {most:.{digits}f})"


def _lost(rows: Sequence[Row]) -> str:
    return f"{sum(row.lost for row in rows):,} of {sum(row.requests for row in rows):,}"


def _splits(weight: int, rows: Sequence[Row]) -> str:
    found = [split for row in rows for split in row.splits if split.weight == weight]
    count, total = sum(each.count for each in found), sum(each.total for each in found)
    share = f"{100 * count / total:.1f} % of {total:,}" if total else "-"
    return f"{sum(each.agrees for each in found)} of {len(found)}; {share}"
