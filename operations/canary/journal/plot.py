"""Draws weights, error rates and latency of a canary over time."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from operations.canary.journal.journal import Entry

INCHES = (9, 7)
COLOURS = {"new": "tab:orange", "old": "tab:blue"}


def draw(entries: Sequence[Entry], file: Path) -> None:
    """Write a PNG."""
    figure = Figure(figsize=INCHES, layout="constrained")
    FigureCanvasAgg(figure)
    weights, errors, latency = figure.subplots(3, 1, sharex=True)
    begun, end = entries[0], entries[-1]
    versions = {begun["old"]: COLOURS["old"], begun["to"]: COLOURS["new"]}
    samples = [each for each in entries if each["event"] == "look"]
    applied = [each for each in entries if each["event"] == "applied"]
    for version, colour in versions.items():
        moments = [begun, *applied, end]
        steps = [begun["before"], *(each["weights"] for each in applied)]
        shares = [each.get(version, 0) for each in (*steps, steps[-1])]
        weights.step(_since(begun, moments), shares, where="post", color=colour, label=version)
        known = [each for each in samples if (each["versions"].get(version) or {}).get("requests")]
        metrics = [each["versions"][version] for each in known]
        at = _since(begun, known)
        percent = [100 * each["failures"] / each["requests"] for each in metrics]
        errors.plot(at, percent, marker=".", color=colour)
        latency.plot(at, [each["p99"] for each in metrics], marker=".", color=colour)
    for each in entries:
        if each["event"] == "back":
            for axes in (weights, errors, latency):
                axes.axvline(each["time"] - begun["time"], color="tab:red", linestyle="--")
    weights.set(ylabel="weight, %", ylim=(-2, 102), title=_title(begun, end))
    errors.set(ylabel="errors, %")
    errors.set_ylim(bottom=0)
    latency.set(ylabel="p99, ms", xlabel="seconds since the start")
    latency.set_ylim(bottom=0)
    weights.legend(loc="center left")
    figure.savefig(file, dpi=110)


def _since(begun: Entry, entries: Sequence[Entry]) -> list[float]:
    return [each["time"] - begun["time"] for each in entries]


def _title(begun: Entry, end: Entry) -> str:
    outcome: Any = end.get("outcome", "not over")
    return f"canary of {begun['service']} to {begun['to']}: {outcome}"
