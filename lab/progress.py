"""Shows each step, its duration, and what it waits for."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress as Bars
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

HEARTBEAT_SECONDS = 20
"""How often a running step prints a line if the output is no terminal."""


def seconds(duration: float) -> str:
    """Format a duration: `4.2 s` or `3 min 20 s`."""
    minutes, rest = divmod(duration, 60)
    return f"{int(minutes)} min {int(rest):02d} s" if minutes else f"{rest:.1f} s"


class Step:
    """A step that takes time."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.note = ""
        self.started = time.monotonic()

    @property
    def age(self) -> float:
        """Seconds since the step started."""
        return time.monotonic() - self.started

    def describe(self, note: str) -> None:
        """Replace the note beside the title, which is what the step waits for now."""
        self.note = note


class Progress:
    """Prints steps as they start and end; several may run at a time, in several threads."""

    def __init__(self, console: Console | None = None) -> None:
        # Lines are not wrapped: a path or a command broken in two cannot be copied.
        self.console = console or Console(highlight=False, soft_wrap=True)
        self._bars = Bars(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            TextColumn("{task.fields[note]}", style="dim", markup=False),
            TimeElapsedColumn(),
            console=self.console,
            transient=True,
        )
        self._steps: list[Step] = []
        self._lock = threading.Lock()

    @contextmanager
    def shown(self) -> Iterator["Progress"]:
        """Show the steps of this block until it ends."""
        ended = threading.Event()
        refresh = self._animate if self.console.is_terminal else self._beat
        thread = threading.Thread(target=refresh, args=(ended,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            ended.set()
            thread.join()

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Show a step while the block runs, and then how long it took."""
        step = Step(title)
        with self._lock:
            self._steps.append(step)
        if not self.console.is_terminal:
            self.console.print(f"  … {title}", markup=False)
        mark = "✗"
        try:
            yield step
            mark = "✓"
        finally:
            with self._lock:
                self._steps.remove(step)
            note = f": {step.note}" if step.note else ""
            self.console.print(f"{mark} {title}{note} ({seconds(step.age)})", markup=False)

    def _beat(self, ended: threading.Event) -> None:
        while not ended.wait(HEARTBEAT_SECONDS):
            with self._lock:
                old = [step for step in self._steps if step.age > HEARTBEAT_SECONDS / 2]
                lines = [f"  … {step.title}: {step.note or 'busy'} ({seconds(step.age)})" for step in old]
            for line in lines:
                self.console.print(line, markup=False)

    def _animate(self, ended: threading.Event) -> None:
        tasks = {}
        with self._bars:
            while not ended.wait(0.2):
                with self._lock:
                    steps = list(self._steps)
                for step in steps:
                    if step not in tasks:
                        tasks[step] = self._bars.add_task(step.title, total=None, note="")
                    self._bars.update(tasks[step], note=step.note)
                for step in [step for step in tasks if step not in steps]:
                    self._bars.remove_task(tasks.pop(step))
