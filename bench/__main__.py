"""`python -m bench scale`: measure on the lab, and write the table beside the code."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, TypeVar

import typer
import yaml
from rich.console import Console

from bench import load, scale, step
from bench.commands import CHECKOUT, metrics
from bench.drift import edits
from bench.drift import measure as drift
from bench.loss import measure as loss
from bench.loss.table import table as loss_table
from bench.peers import measure as peers
from bench.peers import service
from bench.peers.table import table as peers_table
from bench.peers.tools import TOOLS
from bench.results import markdown, write_table

SCRATCH = CHECKOUT / ".lab"
"""A benchmark that takes several runs stores its rows here. Delete them to start again."""
DESCRIPTIONS = yaml.safe_load(Path(__file__).with_name("descriptions.yaml").read_text())
Seconds = Annotated[float, typer.Option(help="Stop after this time; the next run continues from there.")]
Row = TypeVar("Row")

commands = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)


@commands.command("scale")
def scale_() -> None:
    """Time of the program at 1, 10, 50 and 200 services of three versions, beside a flat program."""
    lines = markdown(scale.COLUMNS, list(_shown(scale.measure())))
    _write("scale", lines, rounds=scale.ROUNDS)


@commands.command("step")
def step_(rounds: Annotated[int, typer.Option(help="Steps of each tool.")] = step.ROUNDS) -> None:
    """Time from the decision on a weight until Envoy sends the new split, by four tools."""
    metrics()
    rows = list(_shown(step.measure(SCRATCH / "bench-step", rounds)))
    _write("step", step.table(rows), rounds=rounds, low=step.LOW, high=step.HIGH, rate=step.RATE)


@commands.command("drift")
def drift_(seconds: Seconds = 3600) -> None:
    """Find and repair every edit of the catalogue, beside what Pulumi and kubectl find of it."""
    folder = SCRATCH / "bench-drift"
    list(_shown(drift.measure(folder, seconds)))
    rows = drift.rows(folder)
    _write("drift", drift.table(rows), done=len(rows), edits=len(edits.EDITS))


@commands.command("loss")
def loss_(seconds: Seconds = 3600) -> None:
    """Count lost requests, change by change and without each mechanism. Needs the machine alone."""
    folder = SCRATCH / "bench-loss"
    list(_shown(loss.measure(folder, seconds)))
    rows = loss.rows(folder)
    file = CHECKOUT / "docs/zero-loss.md"
    _write("loss", loss_table(rows), file, slow=load.SLOW_EVERY, left=len(loss.remaining(rows)))


@commands.command("peers")
def peers_(seconds: Seconds = 3600) -> None:
    """Release a bad and a good v2 by this program, Argo Rollouts and Flagger. Needs the machine alone."""
    folder = SCRATCH / "bench-peers"
    metrics()
    list(_shown(peers.measure(folder, seconds)))
    rows = peers.rows(folder)
    _write(
        "peers",
        peers_table(rows, list(TOOLS)),
        rate=service.RATE,
        steps=", ".join(map(str, service.STEPS)),
        hold=service.HOLD_SECONDS,
        least=service.LEAST,
        rounds=peers.ROUNDS,
        left=len(peers.remaining(rows)),
    )


def _shown(rows: Iterable[Row]) -> Iterator[Row]:
    """Print each row as soon as it is measured."""
    for row in rows:
        Console().print(row, markup=False)
        yield row


def _write(name: str, lines: Iterable[str], file: Path | None = None, **values: object) -> None:
    """Write a table with its description, whose values in braces are given."""
    page = file or CHECKOUT / f"bench/results/{name}.md"
    write_table(page, f"bench {name}", DESCRIPTIONS[name].format(**values), lines)


if __name__ == "__main__":
    commands()
