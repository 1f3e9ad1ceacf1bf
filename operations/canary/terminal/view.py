"""The output of a running canary: a live table, or lines without a terminal."""

import os
import select
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from threading import Event, Semaphore

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from operations.canary.analysis.checks import Finding, Measured, Verdict
from operations.canary.terminal.state import CanaryState
from operations.canary.terminal.text import clock, split_of

COLOURS = {
    Verdict.good: "green",
    Verdict.bad: "red",
    Verdict.unsure: "yellow",
    Verdict.unknown: "yellow",
}
AGAIN_SECONDS = 0.25
ASK_SECONDS = 30.0
"""How long a question waits for its answer: the analysis stops meanwhile."""
POLL_SECONDS = 0.1
QUEUED_STATES = 20
"""How many states wait for a slow output; further ones are dropped."""


class View:
    """Writes to a console in another thread: an output that hangs or is closed does not stop the canary."""

    def __init__(self, console: Console) -> None:
        self.console = console
        # A letter that the terminal cannot encode would end the output.
        if isinstance(console.file, TextIOWrapper):
            console.file.reconfigure(errors="replace")
        self.lost: str | None = None
        """Why the output is lost, if it is: a closed pipe or terminal."""
        self._live: Live | None = None
        self._printed: tuple[object, ...] = ()
        self._findings: Sequence[Finding] = ()
        self._beside: ThreadPoolExecutor | None = None
        self._room = Semaphore(QUEUED_STATES)

    @contextmanager
    def open(self) -> Iterator[None]:
        """Show the live table; wait at the end until everything is written."""
        try:
            with ThreadPoolExecutor(1) as self._beside:
                self._later(self._begin)
                try:
                    yield
                finally:
                    self._later(self._end)
        finally:
            self._beside = None

    def report_line(self, line: str) -> None:
        """Print a line."""
        self._later(self._print, f"{time.strftime('%H:%M:%S')}  {line}")

    def ask(self, question: str, answers: str) -> str:
        """Ask the user for a letter.

        Returns the first answer without a terminal, and the last one, to continue, after ASK_SECONDS.
        """
        if not self.console.is_terminal or self._beside is None:
            return answers[0]
        over = Event()
        reply = self._beside.submit(self._reply, question, over)
        try:
            answer = reply.result(timeout=ASK_SECONDS)
        except TimeoutError:
            return answers[-1]
        except (OSError, SystemExit) as error:
            self._lose(error)
            return answers[0]
        finally:
            over.set()
        letter = answer.strip().lower()[:1]
        return letter if letter and letter in answers else answers[0]

    def show(self, state: CanaryState) -> None:
        """Show the state."""
        if self._room.acquire(blocking=False):
            self._later(self._show, state)

    def _later(self, work: Callable[..., None], *words: object) -> None:
        if self._beside is None:
            self._safely(work, *words)
        else:
            self._beside.submit(self._safely, work, *words)

    def _safely(self, work: Callable[..., None], *words: object) -> None:
        """Write, if there is an output; what cannot be written is dropped."""
        with suppress(Exception):
            try:
                work(*words)
            # rich raises SystemExit for a closed pipe.
            except (OSError, SystemExit) as error:
                self._lose(error)

    def _lose(self, error: BaseException) -> None:
        """Discard all further output: what Python flushes at exit would change the exit code."""
        self.lost = self.lost or str(error.__context__ or error)
        self._live = None
        with suppress(OSError):
            output = self.console.file.fileno()
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, output)
            os.close(nowhere)

    def _begin(self) -> None:
        if self.console.is_terminal:
            self._live = Live(console=self.console, transient=True, refresh_per_second=1 / AGAIN_SECONDS)
            self._live.start()

    def _end(self) -> None:
        if self._live is not None:
            live, self._live = self._live, None
            live.stop()

    def _print(self, line: str) -> None:
        self.console.print(line, markup=False, soft_wrap=True)

    def _reply(self, question: str, over: Event) -> str:
        """Read a line until the question is over; empty if there is none."""
        if self._live is not None:
            self._live.stop()
        try:
            self.console.print(question, end=" ", markup=False, soft_wrap=True)
            while not over.is_set():
                if select.select([sys.stdin], [], [], POLL_SECONDS)[0] and not over.is_set():
                    return sys.stdin.readline()
            return ""
        finally:
            if self._live is not None:
                self._live.start()

    def _show(self, state: CanaryState) -> None:
        self._room.release()
        if self._live is not None:
            self._live.update(panel(state))
            return
        shown = (state.step, state.phase, state.paused)
        sampled = bool(state.findings) and state.findings is not self._findings
        if shown != self._printed or sampled:
            self._printed, self._findings = shown, state.findings
            self._print(f"{time.strftime('%H:%M:%S')}  {line(state, sampled=sampled)}")


def line(state: CanaryState, *, sampled: bool) -> str:
    """Write a state as one line, with the metrics of a new sample."""
    paused = ", paused" if state.paused else ""
    words = [f"{state.step}/{state.steps} {split_of(state.weights)}: {state.phase}{paused}"]
    if state.left:
        words.append(f"{clock(state.left)} left")
    if sampled and state.measured:
        words += [f"{name} {_metrics(each, state.window)}" for name, each in state.measured.items()]
        words += [f"{each.check} {each.verdict}: {each.description}" for each in state.findings]
    return "; ".join(words)


def panel(state: CanaryState) -> RenderableType:
    """Lay a state out for a terminal."""
    head = Text(f"step {state.step}/{state.steps}  {split_of(state.weights)}  ", style="bold")
    head.append("paused" if state.paused else state.phase, style="yellow" if state.paused else "")
    if state.left is not None:
        head.append(f"  {clock(state.left)} left")
    if state.failures:
        head.append(f"  {state.failures} of {state.allowed} bad samples", style="red")
    table = Table("version", "wanted", "measured", "requests/s", "errors", "p50", "p90", "p99", box=None)
    for version, weight in state.weights.items():
        measured = (state.measured or {}).get(version)
        share = f"{state.shares[version]:.1f} %" if version in state.shares else "-"
        table.add_row(
            version,
            f"{weight} %",
            share,
            *(_cells(measured, state.window) if measured else ("-",) * 5),
        )
    verdicts = [
        Text(f"{each.check}: {each.verdict}, {each.description}", style=COLOURS[each.verdict])
        for each in state.findings
    ]
    return Group(head, table, *verdicts)


def _cells(measured: Measured, window: float) -> tuple[str, ...]:
    errors = f"{100 * measured.failures / measured.requests:.2f} %" if measured.requests else "-"
    times = [measured.percentile(part) for part in (0.5, 0.9, 0.99)]
    rate = f"{measured.requests / window:.1f}" if window else "-"
    return (rate, errors, *("-" if each is None else f"{each:.0f} ms" for each in times))


def _metrics(measured: Measured, window: float) -> str:
    rate, errors, _, _, p99 = _cells(measured, window)
    return f"{rate}/s errors {errors} p99 {p99}"
