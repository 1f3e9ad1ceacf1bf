"""Hooks: commands and messages, with their time and their end."""

import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from operations.canary.deploy.hooks import Occasion, expanded, run
from operations.canary.outcome import Outcome, RollbackRequested
from operations.canary.plan import Hook, Plan
from tests.chat import chat

OCCASION = Occasion(
    stack="prod", service="shop", version="v2", step=2, steps=6, weight=10, outcome="", text="step 2"
)


def hook(**words: object) -> Hook:
    """Read a hook as the plan does."""
    return Plan.of({"hooks": [{"when": "start", **words}]}).hooks[0]


def nobody() -> None:
    """Nobody wants anything."""


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


def is_gone(pid: int) -> bool:
    """Wait a moment until a process has ended."""
    for _ in range(50):
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.1)
    return False


@pytest.mark.parametrize("line", ["sleep 60 & echo $! > child; wait", "sleep 60 & echo $! > child"])
def test_a_hook_that_takes_too_long_leaves_nothing_running(tmp_path: Path, line: str) -> None:
    """Neither where it waits for its child, nor where it has ended and the child holds its output."""
    assert run(hook(run=line, timeout="2s"), OCCASION, tmp_path, nobody) == "took longer than 2 s"
    assert is_gone(int((tmp_path / "child").read_text()))


def test_a_hook_that_is_called_off_leaves_nothing_running(tmp_path: Path) -> None:
    """By --abort, say."""

    def abort_later() -> None:
        if (tmp_path / "child").exists() and (tmp_path / "child").read_text().strip():
            abort()

    with pytest.raises(RollbackRequested):
        run(hook(run="sleep 60 & echo $! > child; wait"), OCCASION, tmp_path, abort_later)
    assert is_gone(int((tmp_path / "child").read_text()))


def test_what_a_good_hook_leaves_behind_is_its_own(tmp_path: Path) -> None:
    """A load that it began in the background goes on."""
    line = "sleep 60 >/dev/null 2>&1 & echo $! > child"
    assert run(hook(run=line), OCCASION, tmp_path, nobody) is None
    child = psutil.Process(int((tmp_path / "child").read_text()))
    assert child.is_running()
    child.kill()


def test_only_names_in_braces_are_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A `$` that stands for itself gives nothing away."""
    monkeypatch.setenv("TOKEN", "secret")
    monkeypatch.delenv("NO_SUCH", raising=False)
    assert expanded("https://x/${TOKEN}?a=$TOKEN&b=${NO_SUCH}&c=$$TOKEN&d=${}&e=${TOKEN") == (
        "https://x/secret?a=$TOKEN&b=${NO_SUCH}&c=$$TOKEN&d=${}&e=${TOKEN"
    )


@pytest.mark.parametrize("url", ["http://[::1", "http://\udc80/", "ftp://x", "nothing", "http://x:99999/"])
def test_an_address_that_is_none_is_no_answer(tmp_path: Path, url: str) -> None:
    """Whatever is wrong with it."""
    wrong = run(replace(hook(post="http://x"), post=url), OCCASION, tmp_path, nobody)
    assert wrong
    assert wrong.startswith("no answer: ")


def abort() -> None:
    """Somebody wants everybody back."""
    raise RollbackRequested(Outcome.aborted, "by hand")


def test_a_wish_ends_a_hook(tmp_path: Path) -> None:
    """Nobody waits for an approval that is not wanted any more."""
    began = time.monotonic()
    with chat() as (url, _):
        for each in (hook(run="sleep 30"), hook(post=f"{url}/never")):
            with pytest.raises(RollbackRequested):
                run(each, OCCASION, tmp_path, abort)
    assert time.monotonic() - began < 5


def test_a_message_that_nobody_answers_takes_no_longer_than_it_may(tmp_path: Path) -> None:
    """As a command."""
    with chat() as (url, _):
        wrong = run(hook(post=f"{url}/never", timeout="500ms"), OCCASION, tmp_path, nobody)
    assert wrong == "took longer than 0.5 s"


def test_a_message_carries_the_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it goes may come from the environment."""
    with chat() as (url, messages):
        monkeypatch.setenv("CHAT", url)
        assert run(hook(post="${CHAT}/200"), OCCASION, tmp_path, nobody) is None
        assert messages == [OCCASION.payload]
        assert OCCASION.payload["text"] == "step 2"
        assert run(hook(post="${CHAT}/403"), OCCASION, tmp_path, nobody) == "answered 403"
    assert run(hook(post="http://127.0.0.1:1/"), OCCASION, tmp_path, nobody) == "no answer: ConnectError"
    assert str(hook(post="${CHAT}/200")) == "POST ${CHAT}/200"
