"""`python -m tests.e2e.proof_tables canary FILE`: tables of pytest's reports of tests on the lab."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final
from xml.etree import ElementTree as ET

import typer

from bench.load import SLOW_EVERY
from bench.results import write_table
from tests.e2e.interruptions import KILLS, RATE

RESULTS: Final = Path(__file__).parents[1] / "results"
Reports = Annotated[list[Path], typer.Argument(help="Files of pytest's --junitxml, the oldest first.")]
FIGURES: Final = ("outcome", "exit", "requests", "lost", "failed by v2", "saw v2")
"""Of a canary."""

LEFT: Final = ("interrupted at", "left behind", "mended by", "requests", "failed")
"""Of an interruption."""

commands = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One test."""

    name: str
    passed: bool
    figures: dict[str, str]

    @property
    def verdict(self) -> str:
        """As a table says it."""
        return "passed" if self.passed else "FAILED"


def cases(reports: Iterable[Path]) -> list[Case]:
    """Read the tests of several reports; of one that ran several times the last counts."""
    found: dict[str, Case] = {}
    for report in reports:
        root = ET.parse(report).getroot()  # noqa: S314 (pytest wrote it here)
        # A run that is ended from outside leaves a case without a name.
        for each in root.iterfind(".//testcase[@name]"):
            name = each.attrib["name"].removeprefix("test_").replace("_", " ")
            bad = any(each.find(kind) is not None for kind in ("failure", "error", "skipped"))
            figures = {one.attrib["name"]: one.attrib["value"] for one in each.iter("property")}
            found[name] = Case(name=name, passed=not bad, figures=figures)
    return list(found.values())


def table(found: Iterable[Case]) -> list[str]:
    """Write canaries: one line for each case; the splits, which are no canaries, after them."""
    lines = [f"| case | {' | '.join(FIGURES)} | test |", f"|---|---|{'---:|' * 5}---|"]
    splits = []
    for case in found:
        if split := case.figures.get("split"):
            splits.append(f"- {case.name}: {split}; {case.verdict}")
        else:
            lines.append(_line(case, FIGURES))
    return [*lines, *([""] if splits else []), *splits]


def interruptions(found: Sequence[Case]) -> list[str]:
    """Write interruptions: the sum of all, then one line for each."""
    requests, failed = (sum(int(case.figures.get(name, 0)) for case in found) for name in LEFT[-2:])
    bad = sum(not case.passed for case in found)
    return [
        f"{len(found)} interruptions, {bad} not mended; {requests:,} requests, {failed:,} failed.",
        "",
        f"| case | {' | '.join(LEFT)} | test |",
        "|---|---|---:|---|---:|---:|---|",
        *(_line(case, LEFT) for case in found),
    ]


def _line(case: Case, figures: Iterable[str]) -> str:
    cells = [case.figures.get(name, "-").replace("|", "\\|") for name in figures]
    return f"| {case.name} | {' | '.join(cells)} | {case.verdict} |"


@commands.command("canary")
def canary_(reports: Reports) -> None:
    """Make the table of `pytest tests/e2e/canary --junitxml=FILE`."""
    write_table(
        RESULTS / "canary.md",
        "tests.e2e.proof_tables canary",
        "Canaries on the lab under 200 requests a second from outside. `lost`: requests that failed and that "
        "v2 did not answer itself; `saw v2`: all that v2 answered, well or badly.",
        table(cases(reports)),
    )


@commands.command("interrupts")
def interrupts_(reports: Reports) -> None:
    """Make the table of `pytest tests/e2e/test_interrupts.py --junitxml=FILE`."""
    found = cases(reports)
    killed = sum(each.name.startswith("pulumi killed[") for each in found)
    write_table(
        RESULTS / "interrupts.md",
        "tests.e2e.proof_tables interrupts",
        f"Updates interrupted on the lab, under {RATE} requests a second through the ingress, one in "
        f"{SLOW_EVERY} of them of 3 s. Each update adds a version with half of the traffic, changes one, and "
        "removes one that had half. The number of a kill is the share of the update's time: "
        f"{killed} of {KILLS} moments have run. `passed`: no request failed, and stack and cluster were as "
        "declared afterwards, with nothing open, doubled, orphaned or locked.",
        interruptions(found),
    )


if __name__ == "__main__":
    commands()
