"""Samples as tables and as JSON."""

import json
from collections.abc import Sequence
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from operations.kube.pod_readiness import Pods
from operations.metrics.service_metrics import VersionMetrics
from operations.traffic.snapshot import Sample

SCHEMA: Final = 1
"""Version of the JSON format. It changes if a key is removed or gets another meaning, not for new keys."""
COLUMNS: Final = ("version", "weight", "share", "requests/s", "success", "p50", "p90", "p99", "pods ready")


def tables(samples: Sequence[Sample], window: float) -> RenderableType:
    """Return a table for each service."""
    return Group(*(part for sample in samples for part in _table(sample, window)))


def as_document(stack: str, samples: Sequence[Sample], *, time: float, window: float) -> dict[str, Any]:
    """Return samples as plain data; docs/operations.md explains the keys."""
    return {
        "schema": SCHEMA,
        "stack": stack,
        "time": round(time, 3),
        "window": window,
        "services": [
            {
                "service": sample.service.name,
                "namespace": sample.service.namespace,
                "why": _why(sample),
                "versions": [_document(sample, version) for version in _versions(sample)],
            }
            for sample in samples
        ],
    }


def as_json(document: dict[str, Any], *, indent: int | None) -> str:
    """Return it as JSON, on one line without indent."""
    return json.dumps(document, indent=indent, ensure_ascii=False) + "\n"


def _table(sample: Sample, window: float) -> list[RenderableType]:
    title = f"{sample.service.namespace}/{sample.service.name}, the last {window:g} s"
    table = Table(title=title, title_justify="left", title_style="bold")
    for nth, column in enumerate(COLUMNS):
        table.add_column(column, justify="right" if nth else "left")
    for version in _versions(sample):
        weight = sample.service.weights.get(version)
        table.add_row(
            version,
            "-" if weight is None else f"{weight} %",
            *_cells(sample.metrics.versions.get(version) if sample.metrics else None),
            _pods(sample, version),
        )
    return [table, Text(sample.notice, style="yellow")] if sample.notice else [table]


def _versions(sample: Sample) -> list[str]:
    """List the declared versions, then others with requests."""
    answered = sample.metrics.versions if sample.metrics else ()
    return list(dict.fromkeys((*sample.service.weights, *answered)))


def _cells(measured: VersionMetrics | None) -> tuple[str, ...]:
    if measured is None:
        return ("-",) * 6
    parts = [_percent(measured.share, 1), f"{measured.rate:.1f}", _percent(measured.success, 2)]
    times = (measured.p50, measured.p90, measured.p99)
    return (*parts, *("-" if each is None else f"{each:.0f} ms" for each in times))


def _percent(part: float | None, digits: int) -> str:
    return "-" if part is None else f"{100 * part:.{digits}f} %"


def _pods(sample: Sample, version: str) -> Text:
    if version not in sample.pods:
        return Text("-")
    pods = sample.pods[version]
    if pods is None:
        return Text("unknown", style="yellow")
    return Text(f"{pods.ready} of {pods.wanted}", style="red" if _is_missing(sample, version, pods) else "")


def _is_missing(sample: Sample, version: str, pods: Pods) -> bool:
    return pods.ready < pods.wanted or bool(sample.service.weights.get(version) and not pods.ready)


def _why(sample: Sample) -> dict[str, str] | None:
    if sample.why is None:
        return None
    return {"cause": type(sample.why).__name__, "what": sample.why.what, "mend": sample.why.fix}


def _document(sample: Sample, version: str) -> dict[str, Any]:
    measured = sample.metrics.versions.get(version) if sample.metrics else None
    pods = sample.pods.get(version)
    return {
        "version": version,
        "weight": sample.service.weights.get(version),
        "share": measured and measured.share,
        "requests": measured and measured.requests,
        "rate": measured and measured.rate,
        "success": measured and measured.success,
        "p50": measured and measured.p50,
        "p90": measured and measured.p90,
        "p99": measured and measured.p99,
        "pods": pods and {"ready": pods.ready, "wanted": pods.wanted},
    }
