"""Rows of a benchmark that takes more than one run, and the tables that are written of them."""

import datetime as dt
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def append(file: Path, row: "DataclassInstance") -> None:
    """Store a row as a line of JSON."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as rows:
        rows.write(json.dumps(asdict(row)) + "\n")


def stored(file: Path) -> list[dict[str, Any]]:
    """Return all rows in the order in which they were stored."""
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def markdown(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Write a table in Markdown, columns of numbers to the right."""
    cells = [[str(cell) for cell in row] for row in rows]
    numbers = (all(row[nth][:1] in "-0123456789" for row in cells) for nth in range(len(columns)))
    yield f"| {' | '.join(columns)} |"
    yield f"|{'|'.join('---:' if right else '---' for right in numbers)}|"
    yield from (f"| {' | '.join(row)} |" for row in cells)


def write_table(file: Path, command: str, description: str, lines: Iterable[str]) -> None:
    """Write a page with its description, the day, the machine's size and the command that makes it."""
    machine = f"{dt.datetime.now(dt.UTC).date()}, {os.cpu_count()} cores, `python -m {command}`"
    file.write_text("\n".join([f"# {file.stem}", "", description, "", machine, "", *lines, ""]))
