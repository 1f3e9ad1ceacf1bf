"""The report of a canary, made from the journal: a page, its data and a plot."""

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from operations.canary.journal.journal import Entry, Journal, last
from operations.canary.terminal.text import clock, split_of


def write(record: Journal, folder: Path | None) -> Path:
    """Write the report into a folder, by default beside the journal. Returns the folder."""
    entries = record.entries()
    stamp = time.strftime("%Y-%m-%dT%H-%M-%SZ", time.gmtime(entries[0]["time"]))
    folder = folder or record.folder / "reports" / f"{stamp}-{entries[0]['to']}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(json.dumps(data(entries), indent=2, ensure_ascii=False) + "\n")
    (folder / "report.md").write_text(page(entries), encoding="utf-8")
    # Importing matplotlib takes a second.
    from operations.canary.journal.plot import draw  # noqa: PLC0415

    draw(entries, folder / "report.png")
    return folder


def data(entries: Sequence[Entry]) -> dict[str, Any]:
    """Return the journal as one document."""
    end = last(list(entries), "end")
    return {
        **{key: value for key, value in entries[0].items() if key not in {"event", "time"}},
        "began": entries[0]["time"],
        "ended": end.get("time"),
        "outcome": end.get("outcome"),
        "why": end.get("why"),
        "events": list(entries[1:]),
    }


def page(entries: Sequence[Entry]) -> str:
    """Return the page as Markdown."""
    begun, end = entries[0], last(list(entries), "end")
    took = clock(end.get("time", time.time()) - begun["time"])
    lines = [
        f"# Canary of {begun['service']} to {begun['to']}: {end.get('outcome', 'not over')}",
        "",
        f"{end.get('why', '')}. It began {_moment(begun['time'])} and took {took}.",
        "",
        "![weights, errors and latency over time](report.png)",
        "",
        "| time | event | weights | requests | errors | p99 | verdict |",
        "|---|---|---|---|---|---|---|",
        *(f"| {' | '.join(row)} |" for row in _rows(entries)),
        "",
    ]
    return "\n".join(lines)


def _rows(entries: Sequence[Entry]) -> Iterator[tuple[str, ...]]:
    to, old = entries[0]["to"], entries[0]["old"]
    for each in entries:
        moment = _moment(each["time"])
        match each["event"]:
            case "step":
                yield moment, f"step {each['step'] + 1}: {each['says']}", "", "", "", "", ""
            case "applied":
                yield moment, "deployed", split_of(each["weights"]), "", "", "", ""
            case "split":
                counts = ", ".join(f"{name} {count} of {of}" for name, (count, of) in each["shares"].items())
                yield moment, f"share measured: {counts}", "", "", "", "", ""
            case "look":
                results = "; ".join(f"{check} {description}" for check, _, description in each["findings"])
                both = [each["versions"].get(version) or {} for version in (to, old)]
                cells = (_both(both, _requests), _both(both, _errors), _both(both, _p99))
                yield moment, "sample", split_of(each["weights"]), *cells, f"{each['verdict']}: {results}"
            case "hook":
                yield moment, f"hook {each['hook']}", "", "", "", "", each["wrong"] or "good"
            case "back" | "outage":
                event = "rollback" if each["event"] == "back" else "no metrics"
                yield moment, event, "", "", "", "", each["why"]
            case "paused" | "resumed" | "removed":
                versions = ", ".join(each.get("versions", ()))
                yield moment, f"{each['event']} {versions}".strip(), "", "", "", "", ""


def _both(metrics: Sequence[Any], write: Any) -> str:  # noqa: ANN401 (plain data of the journal)
    """Write a value of the new version, and the old one's in parentheses."""
    new, old = (write(each) if each else "-" for each in metrics)
    return f"{new} ({old})"


def _requests(metrics: dict[str, float]) -> str:
    return f"{metrics['requests']:.0f}"


def _errors(metrics: dict[str, float]) -> str:
    return f"{100 * metrics['failures'] / metrics['requests']:.2f} %" if metrics["requests"] else "-"


def _p99(metrics: dict[str, float | None]) -> str:
    return "-" if metrics["p99"] is None else f"{metrics['p99']:.0f} ms"


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))
