"""Where a canary stands, told from another terminal by its journal."""

import time
from collections.abc import Sequence

from rich.console import Console

from operations.canary.durations import clock
from operations.canary.outcome import Outcome
from operations.canary.record import Entry, Record, last
from operations.canary.view import split_of

OVER = {str(each) for each in Outcome if each.is_over}


def is_over(entries: Sequence[Entry]) -> bool:
    """Tell whether nothing is left to go on with."""
    return bool(entries) and entries[-1]["event"] == "end" and entries[-1]["outcome"] in OVER


def show_status(record: Record, console: Console) -> None:
    """Print it."""
    entries = record.entries()
    if not entries:
        console.print("no canary of this stack has run here")
        return
    begun, step, applied = entries[0], last(entries, "step"), last(entries, "applied")
    state = "runs" if record.runs else "is over" if is_over(entries) else "does not run, and is not over"
    since = clock(time.time() - begun["time"])
    console.print(f"the canary of {begun['service']} to {begun['to']} {state}; it began {since} ago")
    if step:
        console.print(f"step {step['step'] + 1}: {step['says']}")
    console.print(f"weights: {split_of(applied.get('weights', begun['before']))}")
    look = last(entries, "look")
    if look:
        console.print(f"last look, {clock(time.time() - look['time'])} ago: {look['verdict']}")
        for check, verdict, says in look["findings"]:
            console.print(f"  {check} {verdict}: {says}")
    if (pause := last(entries, "paused")) and pause["time"] > last(entries, "resumed").get("time", 0):
        console.print(f"paused by {'the plan' if pause['by'] == 'plan' else 'hand'}: --resume goes on")
    for event in ("outage", "back"):
        if (entry := last(entries, event)) and entry["time"] > look.get("time", 0):
            console.print(f"{event}: {entry['why']}")
    if entries[-1]["event"] == "end":
        console.print(f"{entries[-1]['outcome']}: {entries[-1]['why']}")
