"""The bench of the peers: what happened is read from answers, all three have the same plan, rows add up."""

import random
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from time import sleep

import pytest

from bench.answers import RATE, Answer, Answers
from bench.kept import keep
from bench.peers.app import HOLD_SECONDS, STEPS, settings
from bench.peers.argo import stepped
from bench.peers.copies import document
from bench.peers.happened import Split, promoted, taken_back
from bench.peers.rows import Row, columns, read
from bench.peers.run import ROUNDS, TOOLS, todo

OURS, ARGO, FLAGGER = TOOLS


def answered(shares: Mapping[float, float], seconds: float, *, failing: float = 0.0) -> list[Answer]:
    """Answers at the bench's rate, where v2 has a share (0 to 1) from each moment on, and fails a part."""
    chance = random.Random(7)  # noqa: S311 (no secret)
    found = []
    for nth in range(int(seconds * RATE)):
        asked = nth / RATE
        share = next(shares[begins] for begins in sorted(shares, reverse=True) if begins <= asked)
        version = "v2" if chance.random() < share else "v1"
        fails = version == "v2" and chance.random() < failing
        found.append(Answer(asked=asked, version=version, status=500 if fails else 200))
    return found


def row(tool: str, v2: str, ended: str, *, lost: int = 0, count: int = 100) -> Row:
    """Make one release."""
    return Row(
        tool=tool,
        v2=v2,
        at="",
        ended=ended,
        said=40,
        reached=30,
        requests=9000,
        lost=lost,
        bad=0,
        seen=600,
        splits=[Split(weight=10, count=count, total=1000)],
    )


def test_a_promotion_is_read_from_answers() -> None:
    """The last of v1, and the split of each step between the moments that nobody told."""
    answers = answered({0: 0, 2: 0.1, 12: 0.3, 22: 1}, 30)
    last, splits = promoted(answers, "v2", "v1", STEPS)
    assert 21.5 < last <= 22
    assert [each.weight for each in splits] == [10, 30]
    assert all(each.agrees for each in splits)
    assert all(8.3 * RATE < each.total < 9.3 * RATE for each in splits)


def test_a_split_that_is_another_one_is_told() -> None:
    """A step of 10 % in which v2 got a seventh does not pass."""
    _, splits = promoted(answered({0: 0, 2: 0.14, 12: 0.3, 22: 1}, 30), "v2", "v1", STEPS)
    assert [each.agrees for each in splits] == [False, True]


def test_a_way_back_is_read_from_answers() -> None:
    """From the first bad answer, which comes some time after the first one, to the last."""
    answers = answered({0: 0, 2: 0.1, 12: 0}, 20, failing=0.05)
    bad, last, split = taken_back(answers, "v2", 10)
    assert 2 < bad < 5
    assert 11 < last < 12
    assert split.agrees


def test_without_a_bad_answer_there_is_no_such_figure() -> None:
    """It is not 0."""
    with pytest.raises(ValueError, match="empty"):
        taken_back(answered({0: 0, 2: 0.1, 12: 0}, 20), "v2", 10)


def test_all_three_have_the_same_plan() -> None:
    """Steps, hold, window and bound."""
    plan = settings("any")["canary"]
    assert (plan["steps"], plan["hold"], plan["interval"]) == (list(STEPS), "10s", "10s")
    assert plan["checks"] == [{"successRate": {"atLeast": 99}}]
    sample = {"analysis": {"templates": [{"templateName": "success-rate"}]}}
    steps = [[{"setWeight": weight}, {"pause": {"duration": "10s"}}, sample] for weight in STEPS]
    assert [stepped(weight) for weight in STEPS] == steps
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
        keep(file, row(OURS, v2, ended))
    left = todo(read(file))
    assert left[:3] == [ARGO, FLAGGER, OURS]
    assert len(left) == ROUNDS * len(TOOLS) - 1


def test_the_table_hides_nothing() -> None:
    """What ended otherwise than it should, what was lost, and a split outside its interval are told."""
    rows = [
        row(OURS, "good", "promoted", lost=2),
        row(OURS, "good", "rolled back"),
        row(OURS, "bad", "rolled back", count=150),
    ]
    table = "\n".join(columns(rows, [OURS]))
    analysis = HOLD_SECONDS * len(STEPS)
    assert "| good v2: promoted | 1 of 2 |" in table
    assert "| bad v2: rolled back | 1 of 1 |" in table
    assert f"| start to `promoted`, less {analysis} s of analysis, s | 10.0 (10.0 to 10.0) |" in table
    assert "| requests failed by anything else, in all releases | 2 of 27,000 |" in table
    assert "| split at 10 %: within its 99 % interval | 2 of 3; 11.7 % of 3,000 |" in table


class _App(BaseHTTPRequestHandler):
    """Answers one in 200 after a second, and badly where it is told to."""

    protocol_version = "HTTP/1.1"
    asked = 0

    def do_GET(self) -> None:
        """Answer."""
        _App.asked += 1
        if _App.asked % 200 == 0:
            sleep(1)
        self.send_response(500 if _App.asked % 10 == 0 else 200)
        self.send_header("x-version", "v2")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def url() -> Iterator[str]:
    """A server on loopback."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _App) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/hello"
        server.shutdown()


def test_the_load_is_constant_though_some_answers_are_late(url: str) -> None:
    """What is late keeps nobody else waiting, and who answered badly is known."""
    with Answers(url, "any") as answers:
        sleep(2)
    seconds = answers.all[-1].asked - answers.all[0].asked
    assert len(answers.all) == pytest.approx(RATE * seconds, rel=0.15)
    bad = [each for each in answers.all if not each.good]
    assert bad
    assert {each.version for each in bad} == {"v2"}


def test_an_app_that_is_not_there_is_counted() -> None:
    """As failed by nobody."""
    with Answers("http://127.0.0.1:9/hello", "any") as answers:
        sleep(0.2)
    assert {(each.version, each.status) for each in answers.all} == {("", 0)}
