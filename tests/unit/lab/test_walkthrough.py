import io
import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from lab.errors import LabError
from lab.progress import Progress
from lab.stacks import walkthrough

Serve = Callable[[Sequence[str]], str]
WEIGHTS = {"v1": 90, "v2": 10, "v3": 0}


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a server that gives these answers in turn, over and over: a version, or a status code."""
    servers: list[ThreadingHTTPServer] = []

    def start(answers: Sequence[str]) -> str:
        turns = itertools.cycle(answers)

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer = next(turns)
                self.send_response(int(answer) if answer.isdecimal() else 200)
                if answer and not answer.isdecimal():
                    self.send_header("x-version", answer)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, args=(0.01,), daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}/hello"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def row(table: str, version: str) -> list[str]:
    """The row of a version in the table that was printed."""
    (line,) = [line for line in table.splitlines() if f" {version} " in line and "│" in line]
    return [cell.strip() for cell in line.strip("│").split("│")]


def test_a_hundred_answers_are_counted_by_version(
    serve: Serve, progress: Progress, output: io.StringIO
) -> None:
    """The table shows each version with its weight and its answers; the URLs are above it."""
    url = serve(["v1"] * 9 + ["v2"])
    walkthrough.show(url, {"hello": url, "extra": "http://127.0.0.1:31386/hello"}, WEIGHTS, progress)
    said = output.getvalue()
    # The first good answer is only waited for: the hundred begin with the one after it.
    assert row(said, "v1") == ["v1", "90", "90"]
    assert row(said, "v2") == ["v2", "10", "10"]
    assert row(said, "v3") == ["v3", "0", "0"]
    assert "extra  http://127.0.0.1:31386/hello\n" in said


@pytest.mark.parametrize("wrong", ["v3", "v9", "503", ""])
def test_a_wrong_answer_is_an_error(
    serve: Serve, progress: Progress, output: io.StringIO, wrong: str
) -> None:
    """A version without weight, an undeclared one, an error, an answer without a name: all are reported."""
    name = {"503": "HTTP 503", "": "unnamed"}.get(wrong, wrong)
    with pytest.raises(LabError) as issue:
        walkthrough.show(serve(["v1", "v1", "v1", wrong]), {}, WEIGHTS, progress)
    assert issue.value.what.startswith("25 of 100 answers are not from a version with weight")
    assert f"'{name}': 25" in issue.value.what
    assert "istioctl analyze" in issue.value.fix
    assert row(output.getvalue(), name)[2] == "25"


def test_the_first_good_answer_is_waited_for(
    serve: Serve, progress: Progress, output: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a restart the app comes up last: what it answers until then is no error."""
    monkeypatch.setattr(walkthrough, "POLL_SECONDS", 0)
    url = serve(["503", "503", *["v1"] * 101])
    walkthrough.show(url, {}, WEIGHTS, progress)
    assert row(output.getvalue(), "v1")[2] == "100"


@pytest.mark.parametrize(("answers", "last"), [(["503"], "HTTP 503"), (None, "ConnectError")])
def test_no_good_answer_in_time(
    serve: Serve,
    progress: Progress,
    monkeypatch: pytest.MonkeyPatch,
    answers: list[str] | None,
    last: str,
) -> None:
    """The message has the last answer or connection error, and what to check."""
    monkeypatch.setattr(walkthrough, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(walkthrough, "PATIENCE_SECONDS", 0.05)
    url = serve(answers) if answers else "http://127.0.0.1:1/hello"
    with pytest.raises(LabError) as issue:
        walkthrough.show(url, {}, WEIGHTS, progress)
    assert issue.value.what == f"no successful answer from {url} within 0.05 s; the last: {last}"
    assert "kubectl get pods" in issue.value.fix


def test_a_proxy_of_the_shell_is_not_asked(
    serve: Serve, progress: Progress, output: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ingress is on this machine, whatever proxy the environment names."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    walkthrough.show(serve(["v1"]), {}, WEIGHTS, progress)
    assert row(output.getvalue(), "v1")[2] == "100"
