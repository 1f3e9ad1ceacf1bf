"""The whole catalogue, in as many runs as it takes: each row is kept as soon as it is there."""

import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.drift.catalogue import mutations, stacks
from bench.drift.measure import DIFF_DRIFT, REFRESH_DRIFT, Row, false_alarms, fix, measure
from bench.drift.site import Site
from bench.kept import keep, kept

CHECKS: Final = 50
LAST_SECONDS: Final = 60
"""No edit is begun so shortly before the time is over: the slowest took that long."""


@dataclass(frozen=True, kw_only=True)
class Clean:
    """What was told while nobody edited anything."""

    checks: int
    alarms: Sequence[str]


def run(folder: Path, seconds: float) -> Iterator[Row]:
    """Go on with the catalogue for so long; rows that are there already are not made again."""
    ends = time.monotonic() + seconds
    done = {each.name for each in rows(folder)}
    for stack in stacks():
        todo = [each for each in mutations() if each.stack == stack and each.name not in done]
        if not todo:
            continue
        site = Site.up(stack, folder)
        fix(site, lambda _: True)  # a run that was killed may have left an edit
        before = site.hands.objects()
        for each in todo:
            if time.monotonic() > ends - LAST_SECONDS:
                return
            row = measure(each, site, before)
            keep(_file(folder), row)
            yield row


def rows(folder: Path) -> list[Row]:
    """Read what was measured so far, in the order of the catalogue."""
    found = [Row(**each) for each in kept(_file(folder))]
    order = [each.name for each in mutations()]
    return sorted(found, key=lambda row: order.index(row.name))


def clean_checks(folder: Path) -> Clean:
    """Make the clean checks on the stack with an autoscaler, unless they were made before."""
    file = folder / "clean.jsonl"
    if not file.exists():
        site = Site.up("istio", folder)
        fix(site, lambda _: True)
        keep(file, Clean(checks=CHECKS, alarms=false_alarms(site, CHECKS)))
    return Clean(**kept(file)[0])


def down(folder: Path) -> None:
    """Take the stacks away, and the rows, which are in the table now."""
    for stack in stacks():
        Site.up(stack, folder).down()
    shutil.rmtree(folder)


def table(found: Sequence[Row]) -> list[str]:
    """Write the table, with the sums first."""
    refresh = _sum(each.refresh == REFRESH_DRIFT for each in found if each.refresh is not None)
    diff = _sum(each.diff == DIFF_DRIFT for each in found if each.diff is not None)
    own, mended = _sum(each.found for each in found), _sum(each.mended for each in found)
    lines = [
        "| | found | put back |",
        "|---|---:|---:|",
        f"| `operations drift` | {own} | {mended} |",
        f"| `pulumi refresh --preview-only --run-program --expect-no-changes` | {refresh} | - |",
        f"| `kubectl diff --server-side` of the rendered manifests | {diff} | - |",
        "",
        "| edit | sort | drift | put back | refresh | diff | check, s | --fix, s |",
        "|---|---|---|---|---|---|---:|---:|",
    ]
    return lines + [
        f"| {each.name} | {each.does} | {_said(each.found)} | {_said(each.mended)} "
        f"| {_code(each.refresh, REFRESH_DRIFT)} | {_code(each.diff, DIFF_DRIFT)} "
        f"| {each.seconds:.1f} | {each.mend_seconds:.1f} |"
        for each in found
    ]


def _file(folder: Path) -> Path:
    return folder / "rows.jsonl"


def _sum(truths: Iterator[bool]) -> str:
    counted = list(truths)
    return f"{sum(counted)} of {len(counted)}"


def _said(truth: bool) -> str:
    return "yes" if truth else "**no**"


def _code(code: int | None, drift: int) -> str:
    return {None: "not asked", drift: "yes", 0: "no"}.get(code, f"fails ({code})")
