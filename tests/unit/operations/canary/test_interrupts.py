"""What becomes of a canary whose process, terminal or person says something by a signal."""

import io
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from rich.console import Console

from operations.canary.terminal.interrupts import Interrupts
from operations.canary.terminal.view import View

ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
SIGNALS = (signal.SIGINT, signal.SIGTSTP, *ENDING)


def not_caught(number: int, _frame: object) -> None:
    """Stand for what would end or stop the process."""
    raise AssertionError(signal.Signals(number).name)


@pytest.fixture(autouse=True)
def _as_in_a_shell() -> Iterator[None]:
    """Whatever the test's own parent ignores."""
    before = {each: signal.signal(each, not_caught) for each in SIGNALS}
    yield
    for each, handler in before.items():
        signal.signal(each, handler)


class Person(View):
    """Gives an answer, or another signal in the place of one."""

    def __init__(self, *answers: Any) -> None:  # noqa: ANN401
        super().__init__(Console(file=io.StringIO()))
        self.answers = list(answers)

    def ask(self, question: str, answers: str) -> str:  # noqa: D102 (as a view's)
        del question, answers
        answer = self.answers.pop(0)
        if isinstance(answer, signal.Signals):
            signal.raise_signal(answer)
        return str(answer)


def after(*signals: signal.Signals, person: View | None = None) -> str | None:
    """Tell what is done after signals."""
    interrupts = Interrupts()
    with interrupts.caught():
        for each in signals:
            signal.raise_signal(each)
        return interrupts.answer(person or Person())


def test_nothing_is_done_for_nothing() -> None:
    """Most of the time."""
    assert after() is None


@pytest.mark.parametrize("number", ENDING)
def test_one_that_has_to_end_has_everybody_back(number: signal.Signals) -> None:
    """A terminal that was closed, a job that was cancelled: nobody would watch the new version."""
    assert after(number) == "back"
    assert after(signal.SIGINT, number) == "back"
    assert after(signal.SIGINT, person=Person(number)) == "back"


@pytest.mark.parametrize(("letter", "done"), [("h", "hold"), ("b", "back"), ("c", None)])
def test_ctrl_c_asks(letter: str, done: str | None) -> None:
    """And does as it is answered."""
    assert after(signal.SIGINT, person=Person(letter)) == done


def test_a_second_ctrl_c_holds() -> None:
    """Before the question, and in answer to it."""
    assert after(signal.SIGINT, signal.SIGINT) == "hold"
    assert after(signal.SIGINT, person=Person(signal.SIGINT)) == "hold"


def test_nothing_is_held_where_nobody_can_be_told() -> None:
    """Ctrl-C ends `| tee` as well: the canary is nobody's then."""
    person = Person()
    person.lost = "Broken pipe"
    assert after(signal.SIGINT, person=person) == "back"
    assert after(signal.SIGINT, signal.SIGINT, person=person) == "back"


def test_ctrl_z_does_not_stop_it() -> None:
    """It would watch nothing; it says what to do instead, once."""
    interrupts, person = Interrupts(), Person()
    with interrupts.caught():
        signal.raise_signal(signal.SIGTSTP)
        assert interrupts.answer(person) is None
        assert interrupts.answer(person) is None
    assert isinstance(person.console.file, io.StringIO)
    assert person.console.file.getvalue().count("--pause") == 1


def test_nohup_stays_nohup() -> None:
    """Who started it so wants it to outlive the terminal."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    assert after(signal.SIGHUP) is None
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_signals_are_as_before_afterwards() -> None:
    """All of them."""
    after()
    assert {signal.getsignal(each) for each in SIGNALS} == {not_caught}
