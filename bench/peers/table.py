"""A row for each release, and the table of all."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from bench.peers.service import HOLD_SECONDS, PROMOTED, RATE, ROLLED_BACK, STEPS
from bench.results import markdown

WANTED: Final[Mapping[str, str]] = {"good": PROMOTED, "bad": ROLLED_BACK}
"""How a v2 of each kind should end."""
ANALYSIS_SECONDS: Final = HOLD_SECONDS * len(STEPS)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One release by one tool."""

    tool: str
    v2: str
    """`good` or `bad`."""
    at: str
    ended: str
    """What the tool reports: promoted, rolled back, or something else."""
    reported: float
    """Seconds from the start until it reported so."""
    reached: float
    """Seconds from the start to v1's last answer where v2 is good; from v2's first bad answer to its last."""
    requests: int
    lost: int
    """Failed, and not by v2 itself."""
    bad: int
    """Failed by v2 itself."""
    seen: int
    """Answered by v2, well or badly."""


def table(rows: Sequence[Row], tools: Sequence[str]) -> Iterator[str]:
    """Write a column for each tool: medians, with the least and the most."""
    before = ANALYSIS_SECONDS - HOLD_SECONDS
    lines: dict[str, tuple[str, Callable[[Sequence[Row]], str]]] = {
        "good v2: promoted": ("good", _as_wanted),
        f"start to everybody on v2, less {before} s of analysis, s": (
            "good",
            _spread("reached", less=before),
        ),
        f"start to `promoted`, less {ANALYSIS_SECONDS} s of analysis, s": (
            "good",
            _spread("reported", less=ANALYSIS_SECONDS),
        ),
        "bad v2: rolled back": ("bad", _as_wanted),
        "first bad answer to everybody back on v1, s": ("bad", _spread("reached")),
        "requests that v2 failed": ("bad", _spread("bad", digits=0)),
        "answers by the bad v2, in % of a minute's requests": ("bad", _spread("seen", unit=RATE * 0.6)),
        "requests failed by anything else, in all releases": ("good bad", _lost),
    }
    cells = [
        (what, *(cell([row for row in rows if row.tool == tool and row.v2 in v2]) for tool in tools))
        for what, (v2, cell) in lines.items()
    ]
    return markdown(("", *tools), cells)


def _as_wanted(rows: Sequence[Row]) -> str:
    return f"{sum(row.ended == WANTED[row.v2] for row in rows)} of {len(rows)}"


def _spread(
    field: str, *, less: float = 0, unit: float = 1, digits: int = 1
) -> Callable[[Sequence[Row]], str]:
    def cell(rows: Sequence[Row]) -> str:
        values = [(getattr(row, field) - less) / unit for row in rows]
        if not values:
            return "-"
        return f"{median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"

    return cell


def _lost(rows: Sequence[Row]) -> str:
    return f"{sum(row.lost for row in rows):,} of {sum(row.requests for row in rows):,}"
