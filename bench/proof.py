"""What the tests of the canary on the lab proved, as a table: read from pytest's own reports."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

FIGURES: Final = ("outcome", "exit", "requests", "lost", "failed by v2", "saw v2")


@dataclass(frozen=True, kw_only=True)
class Case:
    """One test."""

    name: str
    passed: bool
    figures: dict[str, str]


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
    """Write one line for each case; the splits, which are no canaries, after them."""
    lines = [f"| case | {' | '.join(FIGURES)} | test |", f"|---|---|{'---:|' * 5}---|"]
    splits = []
    for case in found:
        verdict = "passed" if case.passed else "FAILED"
        if split := case.figures.get("split"):
            splits.append(f"- {case.name}: {split}; {verdict}")
            continue
        cells = [case.figures.get(name, "-").replace("|", "\\|") for name in FIGURES]
        lines.append(f"| {case.name} | {' | '.join(cells)} | {verdict} |")
    return [*lines, *([""] if splits else []), *splits]
