"""`python -m tests.unit.operations.canary.simulated_table`: how often is the verdict of a canary right?"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Annotated, Final

import typer

from bench.results import markdown, write_table
from tests.unit.operations.canary.simulated import BAD, EQUAL, PLANS, Ended, canary

FILE: Final = Path(__file__).parents[3] / "results/simulated_canaries.md"
RATES: Final = (20, 1500)
DESCRIPTION: Final = (
    "Simulated, not measured: whole canaries through the code that judges, with requests and pauses of pods "
    "drawn by chance, and the answers that Prometheus' `increase` makes of scrapes every 15 s (2 s for the "
    "plan of seconds). p99 of the versions is about 16 ms unless the row says otherwise; 0.1 % of their "
    "requests fail. Versions and plans: `tests/unit/operations/canary/simulated.py`. Minutes: the median and "
    "the longest. The last column: requests to a version until it was rolled back, by the median, and the "
    "highest weight that any had."
)
LAB_SCRAPE: Final = 2
"""Seconds between two scrapes of the lab's Prometheus: a plan of seconds needs them."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """Canaries of one kind."""

    versions: str
    plan: str
    rate: int
    ended: tuple[Ended, ...]

    @property
    def promoted(self) -> int:
        """How many of them were."""
        return sum(each.promoted for each in self.ended)

    @property
    def minutes(self) -> str:
        """How long they took: half of them, and all."""
        took = [each.minutes for each in self.ended]
        return f"{median(took):.0f}, at most {max(took):.0f}"

    @property
    def met(self) -> str:
        """What a version that was rolled back had: requests by the median, and the highest weight."""
        back = [each for each in self.ended if not each.promoted]
        if not back:
            return "-"
        return f"{median(each.requests for each in back):.0f}, {max(each.most for each in back)} %"


def rows(canaries: int) -> Iterator[Row]:
    """Draw so many canaries of each kind."""
    kinds = [(versions, "default") for versions in (*EQUAL, *BAD)]
    kinds += [(versions, plan) for plan in PLANS if plan != "default" for versions in ("1 pod each", *BAD)]
    both = {**EQUAL, **BAD}
    for versions, plan in kinds:
        for rate in RATES:
            ended = tuple(
                canary(
                    both[versions],
                    rate=rate,
                    seed=seed,
                    plan=PLANS[plan],
                    scrape=LAB_SCRAPE if plan == "of seconds" else 15,
                )
                for seed in range(canaries)
            )
            yield Row(versions=versions, plan=plan, rate=rate, ended=ended)


def main(canaries: Annotated[int, typer.Option(help="So many of each kind.")] = 100) -> None:
    """Simulate canaries of equal and of bad versions. Needs no lab."""
    columns = (
        "versions",
        "plan",
        "requests/s",
        "canaries",
        "promoted",
        "minutes",
        "a rolled back version had",
    )
    lines = []
    for row in rows(canaries):
        lines.append((row.versions, row.plan, row.rate, len(row.ended), row.promoted, row.minutes, row.met))
        typer.echo(" | ".join(map(str, lines[-1])))
    command = "tests.unit.operations.canary.simulated_table"
    write_table(FILE, command, DESCRIPTION, markdown(columns, lines))


if __name__ == "__main__":
    typer.run(main)
