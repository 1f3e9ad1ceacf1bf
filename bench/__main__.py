"""`source .lab/env`, then `python -m bench scale`: measure, and write the table beside the code."""

import datetime as dt
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench import judge, proof, scale
from bench.drift import run as drift
from bench.drift.catalogue import mutations
from bench.loss import rows as loss_rows
from bench.loss import run as loss
from bench.peers import run as peers
from bench.step import run as step
from tests.e2e import interruptions, load

CHECKOUT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).parent / "results"
DOCS = CHECKOUT / "docs"

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


@commands.command("drift")
def drift_(
    seconds: Annotated[float, typer.Option(help="Go on for so long, and another time from there.")] = 3600,
) -> None:
    """Find and put back every edit of the catalogue, beside what Pulumi and kubectl find of it."""
    folder = CHECKOUT / ".lab/bench-drift"
    clean = drift.clean_checks(folder)
    Console().print(f"{clean.checks} clean checks, false alarms: {clean.alarms}", markup=False)
    for row in drift.run(folder, seconds):
        said = "found" if row.found else "NOT FOUND", "put back" if row.mended else "NOT PUT BACK"
        figures = f"check {row.seconds:.1f} s, fix {row.mend_seconds:.1f} s"
        Console().print(f"{row.name}: {', '.join(said)}; {row.note}; {figures}", markup=False)
    found, total = drift.rows(folder), len(mutations())
    if len(found) < total:
        Console().print(f"{len(found)} of {total} done; the same again goes on", markup=False)
    _write(
        "drift",
        "One edit after the other on the lab: is it found, and is every object as before and Pulumi's state "
        f"true after `--fix`? The edits: `bench/drift/catalogue.yaml`, {len(found)} of {total}. Clean checks "
        f"with an autoscaler's scaling and restarts going on: {clean.checks}, false alarms: "
        f"{len(clean.alarms)}.",
        drift.table(found),
    )
    if len(found) == total:
        drift.down(folder)


@commands.command("loss")
def loss_(
    seconds: Annotated[float, typer.Option(help="Go on for so long, and another time from there.")] = 3600,
) -> None:
    """Count lost requests, change by change and without each mechanism. Needs the machine alone."""
    folder = CHECKOUT / ".lab/bench-loss"
    for row in loss.run(folder, seconds):
        sides = ", ".join(f"{side.failed} of {side.requests} at {side.rate:.0f}/s" for side in row.sides)
        without = f" without {row.without}" if row.without else ""
        Console().print(f"{row.change}{without}: {sides}; {dict(row.flags)}", markup=False)
        _write_loss(loss_rows.read(folder / "rows.jsonl"))


def _write_loss(found: list[loss_rows.Row]) -> None:
    _write(
        "loss",
        "Requests at a constant rate through the ingress, and meanwhile from a pod in the mesh, one in "
        f"{load.SLOW_EVERY} of them of 3 s, while a plain `pulumi up` makes and unmakes a change. Lost "
        f"is what had no good answer within 30 s. Rounds to do: {len(loss.todo(found))}.",
        loss_rows.tables(found),
        into=DOCS / "zero-loss.md",
    )


@commands.command()
def canary(
    reports: Annotated[list[Path], typer.Argument(help="Files of pytest's --junitxml, the oldest first.")],
) -> None:
    """Make the table of what `pytest tests/e2e/canary --junitxml=FILE` proved."""
    _write(
        "canary",
        "Canaries on the lab under 200 requests a second from outside. `lost`: requests that failed and that "
        "v2 did not answer itself; `saw v2`: all that v2 answered, well or badly.",
        proof.table(proof.cases(reports)),
    )


@commands.command()
def interrupts(
    reports: Annotated[list[Path], typer.Argument(help="Files of pytest's --junitxml, the oldest first.")],
) -> None:
    """Make the table of what `pytest tests/e2e/test_interrupts.py --junitxml=FILE` proved."""
    found = proof.cases(reports)
    killed = sum(each.name.startswith("pulumi killed[") for each in found)
    _write(
        "interrupts",
        f"Updates interrupted on the lab, under {interruptions.RATE} requests a second through the ingress, "
        f"one in {load.SLOW_EVERY} of them of 3 s. Each update adds a version with half of the traffic, "
        "changes one, and removes one that had half. The number of a kill is the share of the update's time: "
        f"{killed} of {interruptions.KILLS} moments have run. "
        "`passed`: no request failed, and stack and cluster were as declared afterwards, with nothing open, "
        "doubled, orphaned or locked.",
        proof.interruptions(found),
    )


@commands.command("step")
def step_() -> None:
    """Time from the decision on a weight until Envoy sends the new split, in four ways."""
    taken = []
    for each in step.measure(CHECKOUT / ".lab/bench-step"):
        Console().print(f"{each.way}: split {each.split:.2f} s, ended {each.whole:.2f} s", markup=False)
        taken.append(each)
    _write("step", step.WHAT, step.table(taken))


@commands.command("peers")
def peers_(
    seconds: Annotated[float, typer.Option(help="Go on for so long, and another time from there.")] = 3600,
) -> None:
    """Release a bad and a good v2 by this program, Argo Rollouts and Flagger. Needs the machine alone."""
    folder = CHECKOUT / ".lab/bench-peers"
    for row in peers.run(folder, seconds):
        figures = f"reached {row.reached:.1f} s, said {row.said:.1f} s, {row.bad} bad, {row.lost} lost"
        Console().print(f"{row.tool}, {row.v2} v2: {row.ended}; {figures}", markup=False)
    found = peers.rows(folder)
    _write("peers", f"{peers.WHAT} Rounds to do: {len(peers.todo(found))}.", peers.table(found))


@commands.command("judge")
def judge_(
    canaries: Annotated[int, typer.Option(help="So many of each kind.")] = 100,
) -> None:
    """Simulate canaries of equal and of bad versions: how often is the verdict right? Needs no lab."""
    lines = [
        "| versions | plan | requests/s | canaries | promoted | minutes | a rolled back version had |",
        "|---|---|---:|---:|---:|---|---|",
    ]
    for row in judge.rows(canaries):
        cells = row.versions, row.plan, row.rate, len(row.ended), row.promoted, row.minutes, row.met
        lines.append(f"| {' | '.join(map(str, cells))} |")
        Console().print(lines[-1], markup=False)
    _write("judge", judge.WHAT, lines)


def _write(name: str, what: str, lines: list[str], into: Path | None = None) -> None:
    """Keep a table with the day and the size of the machine it was measured on."""
    machine = f"{dt.datetime.now(dt.UTC).date()}, {os.cpu_count()} cores, `python -m bench {name}`"
    RESULTS.mkdir(exist_ok=True)
    file = into or RESULTS / f"{name}.md"
    file.write_text("\n".join([f"# {file.stem}", "", what, "", machine, "", *lines, ""]))


if __name__ == "__main__":
    commands()
