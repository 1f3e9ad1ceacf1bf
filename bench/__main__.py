"""`source .lab/env`, then `python -m bench scale`: measure, and write the table beside the code."""

import datetime as dt
import os
from pathlib import Path

import typer
from rich.console import Console

from bench import scale

RESULTS = Path(__file__).parent / "results"

commands = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)


@commands.callback()
def _bench() -> None:
    """Keep the commands' names, even where there is one command."""


@commands.command("scale")
def scale_() -> None:
    """Time of the program at 1, 10, 50 and 200 services of three versions, beside a flat program."""
    lines = [
        "| services | resources | program, s | flat program, s | ratio |",
        "|---:|---:|---:|---:|---:|",
    ]
    for row in scale.measure():
        lines.append(
            f"| {row.services} | {row.resources} | {row.components:.1f} | {row.flat:.1f} | {row.ratio:.2f} |"
        )
        Console().print(lines[-1], markup=False)
    _write(
        "scale",
        "`pulumi preview` of a new stack: this program, and a flat program that declares the same resources. "
        f"Wall time, median of {scale.ROUNDS} pairs; the ratio is taken pair by pair.",
        lines,
    )


def _write(name: str, what: str, lines: list[str]) -> None:
    """Keep a table with the day and the size of the machine it was measured on."""
    machine = f"{dt.datetime.now(dt.UTC).date()}, {os.cpu_count()} cores, `python -m bench {name}`"
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.md").write_text("\n".join([f"# {name}", "", what, "", machine, "", *lines, ""]))


if __name__ == "__main__":
    commands()
