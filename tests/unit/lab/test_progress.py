import io
import time

import pytest
from rich.console import Console

from lab import progress as module
from lab.progress import Progress, seconds


@pytest.mark.parametrize(
    ("duration", "text"),
    [(0.04, "0.0 s"), (4.24, "4.2 s"), (59.9, "59.9 s"), (60, "1 min 00 s"), (200.7, "3 min 20 s")],
)
def test_durations(duration: float, text: str) -> None:
    """Tenths matter under a minute, and nothing finer than seconds above."""
    assert seconds(duration) == text


def test_without_a_terminal_a_step_is_two_lines(progress: Progress, output: io.StringIO) -> None:
    """A log shows what began, and what became of it, with its last note and its time."""
    with progress.step("start etcd") as step:
        step.describe("waiting")
        step.describe("2 members")
    assert output.getvalue() == "  … start etcd\n✓ start etcd: 2 members (0.0 s)\n"


def test_a_step_that_fails_is_marked_and_the_error_is_raised(progress: Progress, output: io.StringIO) -> None:
    """The mark shows which of several steps failed; the caller prints the message."""
    with pytest.raises(RuntimeError, match="no"), progress.step("start etcd"):
        raise RuntimeError("no")
    assert "✗ start etcd (0.0 s)\n" in output.getvalue()


def test_a_long_step_speaks_up(
    progress: Progress, output: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a terminal, a line is printed regularly with what the step waits for."""
    monkeypatch.setattr(module, "HEARTBEAT_SECONDS", 0.02)
    with progress.shown(), progress.step("build Istio") as step, progress.step("build CoreDNS"):
        step.describe("300 packages")
        time.sleep(0.1)
    assert "  … build Istio: 300 packages (0." in output.getvalue()
    assert "  … build CoreDNS: busy (0." in output.getvalue()


def test_after_the_end_nothing_speaks_up(
    progress: Progress, output: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No line of a step is printed after the command's last line."""
    monkeypatch.setattr(module, "HEARTBEAT_SECONDS", 0.01)
    with progress.step("still open"):
        with progress.shown():
            pass
        text = output.getvalue()
        time.sleep(0.05)
        assert output.getvalue() == text


def test_long_lines_stay_whole(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A path or a command can be copied from the output, however narrow the terminal is."""
    monkeypatch.setenv("COLUMNS", "40")
    command = f"read /var/{'long/' * 30}etcd.log"
    Progress().console.print(command, markup=False)
    assert capsys.readouterr().out == f"{command}\n"


def test_brackets_are_text_on_a_terminal_too() -> None:
    """The answer of a health endpoint is printed as it is, not as rich's markup."""
    terminal = io.StringIO()
    progress = Progress(Console(file=terminal, force_terminal=True, width=100))
    with progress.shown(), progress.step("start [/api]") as step:
        step.describe("[/readyz] [bold]not yet")
        time.sleep(0.5)
    assert "start [/api]" in terminal.getvalue()
    assert "[/readyz] [bold]not yet" in terminal.getvalue()
