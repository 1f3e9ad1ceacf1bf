"""The benchmark of the peers: all three have the same plan, rounds add up, the table shows all."""

from pathlib import Path

from bench.peers.measure import ROUNDS, remaining, rows
from bench.peers.service import HOLD_SECONDS, STEPS, settings
from bench.peers.table import Row, table
from bench.peers.tools import TOOLS, argo_steps, document
from bench.results import append

OURS, ARGO, FLAGGER = TOOLS


def row(tool: str, v2: str, ended: str, *, lost: int = 0) -> Row:
    """Make one release."""
    return Row(
        tool=tool,
        v2=v2,
        at="",
        ended=ended,
        reported=40,
        reached=30,
        requests=9000,
        lost=lost,
        bad=0,
        seen=600,
    )


def test_all_three_have_the_same_plan() -> None:
    """Steps, hold, window and bound."""
    plan = settings("any")["canary"]
    assert (plan["steps"], plan["hold"], plan["interval"]) == (list(STEPS), "10s", "10s")
    assert plan["checks"] == [{"successRate": {"atLeast": 99}}]
    sample = {"analysis": {"templates": [{"templateName": "success-rate"}]}}
    steps = [[{"setWeight": weight}, {"pause": {"duration": "10s"}}, sample] for weight in STEPS]
    assert argo_steps() == [each for step in steps for each in step]
    _, template, _, _ = document("argo.yaml", "any")
    (metric,) = template["spec"]["metrics"]
    assert metric["successCondition"] == "result[0] >= 99"
    assert metric["provider"]["prometheus"]["query"].count("[10s]") == 2
    _, _, canary = document("flagger.yaml", "any")
    analysis = canary["spec"]["analysis"]
    assert (analysis["interval"], analysis["threshold"]) == ("10s", 1)
    (metric,) = analysis["metrics"]
    assert (metric["interval"], metric["thresholdRange"]) == ("10s", {"min": 99})


def test_rounds_add_up(tmp_path: Path) -> None:
    """A run goes on where the last one ended: one round of each tool before the second of any."""
    file = tmp_path / "rows.jsonl"
    for v2, ended in (("bad", "rolled back"), ("good", "promoted")):
        append(file, row(OURS, v2, ended))
    left = remaining(rows(tmp_path))
    assert left[:3] == [ARGO, FLAGGER, OURS]
    assert len(left) == ROUNDS * len(TOOLS) - 1


def test_the_table_hides_nothing() -> None:
    """What ended otherwise than it should, and what was lost."""
    releases = [
        row(OURS, "good", "promoted", lost=2),
        row(OURS, "good", "rolled back"),
        row(OURS, "bad", "rolled back"),
    ]
    text = "\n".join(table(releases, [OURS]))
    analysis = HOLD_SECONDS * len(STEPS)
    assert "| good v2: promoted | 1 of 2 |" in text
    assert "| bad v2: rolled back | 1 of 1 |" in text
    assert f"| start to `promoted`, less {analysis} s of analysis, s | 10.0 (10.0 to 10.0) |" in text
    assert "| requests failed by anything else, in all releases | 2 of 27,000 |" in text
