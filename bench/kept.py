"""Rows of a bench that takes more than one run: each is kept as soon as it is there, a line of JSON."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def keep(file: Path, row: "DataclassInstance") -> None:
    """Add a row."""
    with file.open("a") as rows:
        rows.write(json.dumps(asdict(row)) + "\n")


def kept(file: Path) -> list[dict[str, Any]]:
    """Read all rows, in the order in which they came."""
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
