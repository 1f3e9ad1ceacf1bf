"""Make each edit alone, and see which tool finds it and whether `operations drift --fix` repairs it."""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.commands import run
from bench.drift.edits import EDITS, STACKS, Edit, live_objects
from bench.results import append, markdown, stored
from bench.stack import Stack

CLEAN, DRIFT = 0, 7
"""Exit codes of `operations drift`, and of `pulumi refresh --expect-no-changes`."""
DIFFERENT: Final = 1
"""Exit code of `kubectl diff`."""
LAST_SECONDS: Final = 90
"""No edit is started when less time than this is left."""
FILE: Final = "rows.jsonl"


@dataclass(frozen=True, kw_only=True)
class Row:
    """What became of one edit: who found it, whether it was repaired, and the seconds of both commands."""

    name: str
    found: bool
    seconds: float
    repaired: bool
    repair_seconds: float
    refresh: bool
    diff: bool
    note: str


def measure(folder: Path, seconds: float) -> Iterator[Row]:
    """Continue with the catalogue for some time; rows that are stored are not measured again."""
    ends = time.monotonic() + seconds
    done = {row.name for row in rows(folder)}
    for name, settings in STACKS.items():
        edits = [each for each in EDITS if each.stack == name and each.name not in done]
        if not edits:
            continue
        stack = Stack.at(folder / name, settings["namespace"]["name"], settings)
        stack.create()
        stack.up()
        _drift(stack, "--fix", "--yes")  # a run that was killed may have left an edit
        before = live_objects(stack.manifests())
        for each in edits:
            if time.monotonic() > ends - LAST_SECONDS:
                return
            row = _row(each, stack, before)
            append(folder / FILE, row)
            yield row
        stack.remove()


def rows(folder: Path) -> list[Row]:
    """Return what was measured so far."""
    return [Row(**each) for each in stored(folder / FILE)]


def table(found: Sequence[Row]) -> Iterator[str]:
    """Write a line for each edit, and the sums."""
    truths = [(row.found, row.repaired, row.refresh, row.diff) for row in found]
    sums = (f"{sum(column)} of {len(column)}" for column in zip(*truths, strict=True))
    lines = [
        (
            row.name,
            *("yes" if each else "no" for each in of),
            f"{row.seconds:.1f}",
            f"{row.repair_seconds:.1f}",
        )
        for row, of in zip(found, truths, strict=True)
    ]
    columns = ("edit", "found", "repaired", "refresh", "diff", "check, s", "--fix, s")
    return markdown(columns, [*lines, ("all", *sums, "-", "-")])


def _row(edit: Edit, stack: Stack, before: dict[str, Any]) -> Row:
    edit.make(stack.namespace)
    try:
        seconds, findings = _drift(stack, "--json")
        refresh, diff = _refresh(stack) == DRIFT, _diff(stack) == DIFFERENT
        repair_seconds = _drift(stack, "--fix", "--yes")[0]
        after = live_objects(stack.manifests())
        wrong = [f"{key} is now {after.get(key)}" for key, live in before.items() if after.get(key) != live]
        wrong += ["Pulumi's state"] if _refresh(stack) else []
        # Pods are among no declared objects.
        wrong += ["still found"] if edit.is_in(_drift(stack, "--json")[1]) and not edit.create else []
    finally:
        edit.clean_up(stack.namespace)
    return Row(
        name=edit.name,
        found=edit.is_in(findings),
        seconds=seconds,
        repaired=not wrong,
        repair_seconds=repair_seconds,
        refresh=refresh,
        diff=diff,
        note="; ".join(wrong),
    )


def _drift(stack: Stack, *words: str) -> tuple[float, list[dict[str, Any]]]:
    """Run `operations drift`; returns its seconds and, of --json, the findings."""
    started = time.monotonic()
    output = stack.operations("drift", *words, accepted=(CLEAN, DRIFT)).stdout
    seconds = time.monotonic() - started
    return seconds, json.loads(output)["findings"] if "--json" in words else []


def _refresh(stack: Stack) -> int:
    words = ("refresh", "--preview-only", "--expect-no-changes", "--run-program")
    return stack.pulumi(*words, accepted=()).returncode


def _diff(stack: Stack) -> int:
    words = ("diff", "--server-side", "--force-conflicts", "--field-manager=pulumi", "--filename=-")
    return run("kubectl", *words, stdin=stack.operations("render").stdout, accepted=()).returncode
