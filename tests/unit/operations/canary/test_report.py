"""What a person reads during and after a canary."""

import io
import json
import stat
from pathlib import Path

import pytest
from rich.console import Console

from operations.canary.journal import report
from operations.canary.journal.journal import Journal
from operations.canary.journal.status import is_over, show_status
from operations.canary.outcome import Outcome
from operations.canary.terminal.view import View, line, panel
from tests.unit.operations.canary.environments import FakeEnvironment, rollout
from tests.unit.operations.canary.test_rollout import QUICK


def ended(folder: Path, environment: FakeEnvironment) -> Journal:
    """The journal of a canary that ran through a world."""
    record = Journal(folder=folder)
    record.note("begin", service="shop", to="v2", old="v1", plan=QUICK, before={"v1": 100, "v2": 0})
    rollout(environment, **QUICK).run()
    for each in environment.notes:
        words = {key: value for key, value in each.items() if key not in {"event", "time"}}
        record.note(each["event"], **words)
    return record


def printed(record: Journal) -> str:
    console = Console(file=io.StringIO(), width=200)
    show_status(record, console)
    text = console.file.getvalue()  # type: ignore[attr-defined]  # a StringIO
    assert isinstance(text, str)
    return text


def test_a_report_is_a_page_its_data_and_a_picture(tmp_path: Path) -> None:
    """It says how it ended and why, with the figures of every look."""
    record = ended(tmp_path, FakeEnvironment(errors={"v1": 0.0, "v2": 0.2}))
    folder = report.write(record, None)
    page = (folder / "report.md").read_text()
    assert page.startswith(
        "# Canary of shop to v2: rolled back\n\nsuccess rate 80 %, and it must be at least"
    )
    assert "| v1 90 · v2 10 |" in page
    assert "20.00 % (0.00 %)" in page
    assert "![weights, errors and latency over time](report.png)" in page
    data = json.loads((folder / "report.json").read_text())
    assert (data["to"], data["outcome"]) == ("v2", "rolled back")
    assert [each["event"] for each in data["events"]].count("look") == 2
    assert (folder / "report.png").read_bytes().startswith(b"\x89PNG")


def test_a_report_goes_where_it_is_wanted(tmp_path: Path) -> None:
    """And another canary's does not overwrite it unless asked to."""
    record = ended(tmp_path, FakeEnvironment())
    assert report.write(record, tmp_path / "here") == tmp_path / "here"
    assert report.write(record, None).parent == tmp_path / "reports"
    assert stat.S_IMODE((tmp_path / "here/report.json").stat().st_mode) & 0o022 == 0


@pytest.mark.parametrize(
    ("environment", "outcome"),
    [
        (FakeEnvironment(), Outcome.promoted),
        (FakeEnvironment(errors={"v1": 0.0, "v2": 1.0}), Outcome.rolled_back),
    ],
)
def test_status_tells_the_end(tmp_path: Path, environment: FakeEnvironment, outcome: Outcome) -> None:
    """From the journal alone."""
    record = ended(tmp_path, environment)
    said = printed(record)
    assert "the canary of shop to v2 is over" in said
    assert f"{outcome}: " in said
    assert is_over(record.entries())


def test_status_tells_what_a_killed_one_left(tmp_path: Path) -> None:
    """That it neither runs nor is over, and what the weights were last."""
    record = ended(tmp_path, FakeEnvironment())
    journal = tmp_path / "journal.jsonl"
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join(lines[:4]))
    said = printed(record)
    assert "does not run, and is not over" in said
    assert "weights: v1 90 · v2 10" in said
    assert printed(Journal(folder=tmp_path / "none")) == "no canary of this stack has run here\n"


def test_lines_and_panel_show_rates_errors_percentiles_and_verdicts() -> None:
    """Of both versions, with the wanted split beside the measured one."""
    environment = FakeEnvironment(errors={"v1": 0.0, "v2": 0.5})
    rollout(environment, **{**QUICK, "allowedFailures": 0}).run()
    assert environment.state
    said = line(environment.state, sampled=True)
    assert "1/3 v1 90 · v2 10: analysis" in said
    assert "v2 10.0/s errors 50.00 % p99 10 ms" in said
    assert "success rate bad: 50 %, and it must be at least 99 %" in said
    console = Console(file=io.StringIO(), width=120)
    console.print(panel(environment.state))
    table = console.file.getvalue()  # type: ignore[attr-defined]  # a StringIO
    assert ["v2", "10", "%", "10.0", "%", "10.0", "50.00", "%", *["10", "ms"] * 3] in [
        row.split() for row in table.splitlines()
    ]


def test_without_a_terminal_there_are_lines_and_no_questions() -> None:
    """One for each look, and the answer that changes nothing."""
    console = Console(file=io.StringIO(), width=200)
    view = View(console)
    with view.open():
        view.report_line("hello [b]")
        assert view.ask("hold or back?", "hb") == "h"
    assert console.file.getvalue().endswith("  hello [b]\n")  # type: ignore[attr-defined]  # a StringIO
    environment = FakeEnvironment()
    environment.show = view.show  # type: ignore[method-assign]
    rollout(environment, **QUICK).run()
    judged = [row for row in console.file.getvalue().splitlines() if "success rate" in row]  # type: ignore[attr-defined]
    assert len(judged) == len(environment.events("look"))
