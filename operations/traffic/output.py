"""Looks for people, and for machines."""

import json
from collections.abc import Sequence
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from operations.kube.pod_readiness import Pods
from operations.metrics.service_metrics import VersionFigures
from operations.traffic.snapshot import Look

SCHEMA: Final = 1
"""The version of the JSON form. Keys may come; one that goes or changes its meaning makes a new version."""
COLUMNS: Final = ("version", "weight", "share", "requests/s", "success", "p50", "p90", "p99", "pods ready")


def tables(looks: Sequence[Look], window: float) -> RenderableType:
    """Lay looks out for a terminal, one table for each service."""
    return Group(*(part for look in looks for part in _table(look, window)))


def as_document(stack: str, looks: Sequence[Look], *, time: float, window: float) -> dict[str, Any]:
    """Say looks in plain data; docs/operations.md says what each key means."""
    return {
        "schema": SCHEMA,
        "stack": stack,
        "time": round(time, 3),
        "window": window,
        "services": [
            {
                "service": look.service.name,
                "namespace": look.service.namespace,
                "why": _why(look),
                "versions": [_document(look, version) for version in _versions(look)],
            }
            for look in looks
        ],
    }


def as_json(document: dict[str, Any], *, indent: int | None) -> str:
    """Write it: on one line where there are several, one after the other."""
    return json.dumps(document, indent=indent, ensure_ascii=False) + "\n"


def _table(look: Look, window: float) -> list[RenderableType]:
    title = f"{look.service.namespace}/{look.service.name}, the last {window:g} s"
    table = Table(title=title, title_justify="left", title_style="bold")
    for nth, column in enumerate(COLUMNS):
        table.add_column(column, justify="right" if nth else "left")
    for version in _versions(look):
        weight = look.service.weights.get(version)
        table.add_row(
            version,
            "-" if weight is None else f"{weight} %",
            *_figures(look.figures.versions.get(version) if look.figures else None),
            _pods(look, version),
        )
    return [table, Text(look.said, style="yellow")] if look.said else [table]


def _versions(look: Look) -> list[str]:
    """Every declared version, and whatever else answered."""
    answered = look.figures.versions if look.figures else ()
    return list(dict.fromkeys((*look.service.weights, *answered)))


def _figures(measured: VersionFigures | None) -> tuple[str, ...]:
    if measured is None:
        return ("-",) * 6
    parts = [_percent(measured.share, 1), f"{measured.rate:.1f}", _percent(measured.success, 2)]
    times = (measured.p50, measured.p90, measured.p99)
    return (*parts, *("-" if each is None else f"{each:.0f} ms" for each in times))


def _percent(part: float | None, digits: int) -> str:
    return "-" if part is None else f"{100 * part:.{digits}f} %"


def _pods(look: Look, version: str) -> Text:
    if version not in look.pods:
        return Text("-")
    pods = look.pods[version]
    if pods is None:
        return Text("not known", style="yellow")
    return Text(f"{pods.ready} of {pods.wanted}", style="red" if _is_missing(look, version, pods) else "")


def _is_missing(look: Look, version: str, pods: Pods) -> bool:
    return pods.ready < pods.wanted or bool(look.service.weights.get(version) and not pods.ready)


def _why(look: Look) -> dict[str, str] | None:
    if look.why is None:
        return None
    return {"cause": type(look.why).__name__, "what": look.why.what, "mend": look.why.mend}


def _document(look: Look, version: str) -> dict[str, Any]:
    measured = look.figures.versions.get(version) if look.figures else None
    pods = look.pods.get(version)
    return {
        "version": version,
        "weight": look.service.weights.get(version),
        "share": measured and measured.share,
        "requests": measured and measured.requests,
        "rate": measured and measured.rate,
        "success": measured and measured.success,
        "p50": measured and measured.p50,
        "p90": measured and measured.p90,
        "p99": measured and measured.p99,
        "pods": pods and {"ready": pods.ready, "wanted": pods.wanted},
    }
