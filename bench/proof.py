"""What tests on the lab proved, as tables: read from pytest's own reports."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

FIGURES: Final = ("outcome", "exit", "requests", "lost", "failed by v2", "saw v2")
"""Of a canary."""

LEFT: Final = ("interrupted at", "left behind", "mended by", "requests", "failed")
"""Of an interruption."""


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
