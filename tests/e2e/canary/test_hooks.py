"""What a team wants done on the way: commands and messages, around the steps of a real canary."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import psutil

from tests.e2e.canaries import Canary
from tests.e2e.canary.given import NAMESPACE, WEIGHT_OF_V2, declare_v2
from tests.e2e.canary.proof import PROMOTED, ROLLED_BACK, Prove, Users, as_before, promoted


def test_hooks_run_around_the_steps(canary: Canary, prove: Prove, tmp_path: Path) -> None:
    """A command knows the step and finds the split of before and after it; a chat gets words and figures."""
    told = tmp_path / "told"
    note = (
        f'echo "$1 $CANARY_STEP/$CANARY_STEPS $CANARY_VERSION $CANARY_WEIGHT has $({WEIGHT_OF_V2})" >> {told}'
    )
    command = {"timeout": "30s"}
    with chat() as (url, messages):
        hooks = [
            {"when": "before-step", "run": ["sh", "-c", note, "sh", "before"], **command},
            {"when": "after-step", "run": ["sh", "-c", note, "sh", "after"], **command},
            {"when": "start", "post": url},
            {"when": "end", "post": url},
            {"when": "start", "post": f"{url}/nobody-there", "onFailure": "ignore"},
        ]
        declare_v2(canary.stack, {"hooks": hooks})
        with Users() as users:
            run = canary.begins()
            assert run.ends() == PROMOTED, run.said
    prove(run, users)
    assert told.read_text().splitlines() == [
        "before 1/3 v2 10 has 0",
        "after 1/3 v2 10 has 10",
        "before 2/3 v2 30 has 10",
        "after 2/3 v2 30 has 30",
        "before 3/3 v2 100 has 30",
        "after 3/3 v2 100 has 100",
    ]
    assert [(each["outcome"], each["weight"], each["text"].rpartition(": ")[0]) for each in messages] == [
        ("", 10, f"canary of springbootapp v2 on {NAMESPACE}: begins"),
        ("promoted", 100, f"canary of springbootapp v2 on {NAMESPACE}: promoted"),
    ]
    assert "nobody-there: answered 404" in run.said
    promoted(canary.stack)
    assert users.lost == []


def test_a_hook_that_takes_too_long_leads_back(canary: Canary, prove: Prove) -> None:
    """Nothing of it is left, and everybody is back."""
    asleep = ["sh", "-c", "sleep 3141 & wait"]
    declare_v2(canary.stack, {"hooks": [{"when": "after-step", "run": asleep, "timeout": "3s"}]})
    with Users() as users:
        run = canary.begins()
        assert run.ends() == ROLLED_BACK, run.said
    prove(run, users)
    assert "took longer than 3 s" in canary.report["why"]
    assert canary.weights == [10, 0]
    assert not [each for each in psutil.process_iter(["cmdline"]) if "3141" in (each.info["cmdline"] or ())]
    assert users.lost == []
    as_before(canary.stack)


@contextmanager
def chat() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Take messages at a URL."""
    messages: list[dict[str, Any]] = []

    class Chat(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            said = self.rfile.read(int(self.headers["Content-Length"]))
            known = self.path == "/"
            if known:
                messages.append(json.loads(said))
            self.send_response(204 if known else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    with HTTPServer(("127.0.0.1", 0), Chat) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", messages
        server.shutdown()
