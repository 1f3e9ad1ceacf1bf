"""Hooks: commands and messages, with their time and their end."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from operations.canary.hooks import Occasion, run
from operations.canary.outcome import BackError, Outcome
from operations.canary.plan import Hook, Plan

OCCASION = Occasion(
    stack="prod", service="shop", version="v2", step=2, steps=6, weight=10, outcome="", text="step 2"
)


def hook(**words: object) -> Hook:
    """Read a hook as the plan does."""
    return Plan.of({"hooks": [{"when": "start", **words}]}).hooks[0]


def nobody() -> None:
    """Nobody wants anything."""


class Chat(BaseHTTPRequestHandler):
    """Takes what is posted, and answers by the path."""

    posted: list[dict[str, object]]

    def do_POST(self) -> None:
        """Take it."""
        self.posted.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(int(self.path.strip("/")))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def chat() -> Iterator[str]:
    Chat.posted = []
    with HTTPServer(("127.0.0.1", 0), Chat) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_command_runs_in_the_project_and_knows_the_step(tmp_path: Path) -> None:
    """A line for the shell, or words."""
    line = hook(
        run='test "$CANARY_VERSION $CANARY_STEP/$CANARY_STEPS $CANARY_WEIGHT" = "v2 2/6 10" && pwd > at'
    )
    assert run(line, OCCASION, tmp_path, nobody) is None
    assert (tmp_path / "at").read_text().strip() == str(tmp_path.resolve())
    words = hook(run=["test", "a b", "=", "a b"])
    assert run(words, OCCASION, tmp_path, nobody) is None


def test_a_failing_command_says_its_last_words(tmp_path: Path) -> None:
    """With its exit code."""
    wrong = run(hook(run="echo too slow >&2; exit 3"), OCCASION, tmp_path, nobody)
    assert wrong == "exit code 3: too slow"
    assert run(hook(run=["no-such-program"]), OCCASION, tmp_path, nobody) == (
        "no-such-program: No such file or directory"
    )


def test_a_command_that_takes_too_long_is_ended_with_all_it_started(tmp_path: Path) -> None:
    """Its children too."""
    began = time.monotonic()
    wrong = run(hook(run="sleep 30 & wait; true", timeout="500ms"), OCCASION, tmp_path, nobody)
    assert wrong == "took longer than 0.5 s"
    assert time.monotonic() - began < 5


def test_a_wish_ends_a_command(tmp_path: Path) -> None:
    """Nobody waits for an approval that is not wanted any more."""

    def abort() -> None:
        raise BackError(Outcome.aborted, "by hand")

    with pytest.raises(BackError):
        run(hook(run="sleep 30"), OCCASION, tmp_path, abort)


def test_a_message_carries_the_step(chat: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it goes may come from the environment."""
    monkeypatch.setenv("CHAT", chat)
    assert run(hook(post="${CHAT}/200"), OCCASION, tmp_path, nobody) is None
    assert Chat.posted == [OCCASION.payload]
    assert OCCASION.payload["text"] == "step 2"
    assert run(hook(post="${CHAT}/403"), OCCASION, tmp_path, nobody) == "answered 403"
    assert run(hook(post="http://127.0.0.1:1/"), OCCASION, tmp_path, nobody) == "no answer: ConnectError"
    assert str(hook(post="${CHAT}/200")) == "POST ${CHAT}/200"
