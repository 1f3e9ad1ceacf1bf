"""Print a report as a table, or as JSON."""

import json
from collections.abc import Sequence
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from operations.drift.findings import Finding, Report
from operations.kube.fields import ABSENT, flow

SCHEMA: Final = 1
"""The version of the JSON output. It changes if a key is removed or changes its meaning."""
WIDEST: Final = 60
"""The longest value in the table, in characters; `--json` does not shorten values."""


def show(report: Report, console: Console) -> None:
    """Print the changes that are not applied yet, and a table of the findings."""
    for change in report.unapplied:
        console.print(f"not yet applied: {change}", soft_wrap=True)
    if report.unapplied:
        console.print(f"the stack file was changed after the last update: pulumi up --stack {report.stack}")
    if report.clean:
        console.print(f"stack {report.stack}: {report.compared} objects, all as declared")
        return
    table = Table(show_lines=True)
    for column in ("object", "path", "declared", "live", "written by"):
        table.add_column(column, overflow="fold")
    for each in report.findings:
        table.add_row(*_row(each))
    console.print(table)
    objects = len({each.ref for each in report.findings})
    console.print(
        f"stack {report.stack}: {len(report.findings)} differences on {objects} objects, "
        f"{report.compared} compared; to repair: python -m operations drift --stack {report.stack} --fix",
        soft_wrap=True,
    )


def as_json(report: Report) -> str:
    """Return the report as a JSON document."""
    document = {
        "schema": SCHEMA,
        "stack": report.stack,
        "context": report.context,
        "time": report.time.isoformat(timespec="seconds"),
        "clean": report.clean,
        "compared": report.compared,
        "unapplied": list(report.unapplied),
        "findings": [_document(each) for each in report.findings],
    }
    return json.dumps(document, indent=2, ensure_ascii=False, default=str)


def _row(finding: Finding) -> Sequence[str]:
    where = finding.path or finding.problem
    where = "\n".join(filter(None, (where, finding.why, "not yet applied" if finding.pending else "")))
    values = (_value(finding.declared), _value(finding.live))
    return str(finding.ref), where, *values, str(finding.writer or "unknown")


def _value(value: object) -> str:
    text = "-" if value is ABSENT else flow(value)
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"


def _document(finding: Finding) -> dict[str, Any]:
    ref, writer = finding.ref, finding.writer
    values = {"declared": finding.declared, "live": finding.live}
    return {
        "object": {
            "apiVersion": ref.api_version,
            "kind": ref.kind,
            "namespace": ref.namespace or None,
            "name": ref.name,
        },
        "problem": str(finding.problem),
        "path": finding.path or None,
        **{key: value for key, value in values.items() if value is not ABSENT},
        "writer": {
            "manager": writer.manager,
            "operation": writer.operation,
            "time": writer.time,
            "subresource": writer.subresource or None,
        }
        if writer
        else None,
        "why": finding.why or None,
        "foreign": finding.is_foreign,
        "pending": finding.pending,
    }
