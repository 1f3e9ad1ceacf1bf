"""`--status`: the state of a canary, read from its journal."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console

from operations.canary.journal.journal import Entry, Journal, first, last
from operations.canary.outcome import Outcome
from operations.canary.terminal.text import clock, split_of

OVER = {str(each) for each in Outcome if each.is_over}


def is_over(entries: Sequence[Entry]) -> bool:
    """Return whether the canary cannot be resumed."""
    return bool(entries) and entries[-1]["event"] == "end" and entries[-1]["outcome"] in OVER


def show_status(record: Journal, console: Console) -> None:
    """Print it."""
    entries = record.entries()
    if unreadable := record.unreadable:
        console.print(f"{unreadable} lines of the journal cannot be read and are ignored")
    if not entries:
        console.print("no canary of this stack has run here")
        return
    begun, step, applied = first(entries, "begin"), last(entries, "step"), last(entries, "applied")
    state = "runs" if record.runs else "is over" if is_over(entries) else "does not run, and is not over"
    since = _ago(entries[0])
    console.print(
        f"the canary of {begun.get('service', '?')} to {begun.get('to', '?')} {state}; it began {since}"
    )
    if step:
        console.print(f"step {step['step'] + 1}: {step['says']}")
    console.print(f"weights: {split_of(applied.get('weights', begun.get('before', {})))}")
    sample = last(entries, "look")
    if sample:
        console.print(f"last sample, {_ago(sample)}: {sample['verdict']}")
        for check, verdict, description in sample["findings"]:
            console.print(f"  {check} {verdict}: {description}")
    # By their order, not by their times: the clock may have been changed.
    if (pause := last(entries, "paused")) and not last(_after(entries, pause), "resumed"):
        console.print(f"paused {'by the plan' if pause['by'] == 'plan' else 'manually'}: --resume continues")
    for event, label in (("outage", "no metrics"), ("back", "rollback")):
        if entry := last(_after(entries, sample), event):
            console.print(f"{label}: {entry['why']}")
    if entries[-1]["event"] == "end":
        console.print(f"{entries[-1]['outcome']}: {entries[-1]['why']}")


def _after(entries: list[Entry], one: Mapping[str, Any]) -> list[Entry]:
    """List the entries after one; all if there is none."""
    return entries[entries.index(dict(one)) + 1 :] if one else entries


def _ago(entry: Entry | Mapping[str, Any]) -> str:
    return f"{clock(max(0.0, time.time() - entry['time']))} ago"
