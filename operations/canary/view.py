"""What a person sees while a canary runs: a table that changes, or lines where there is no terminal."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from operations.canary.checks import Finding, Measured, Verdict
from operations.canary.durations import clock
from operations.canary.scene import Scene

COLOURS = {
    Verdict.good: "green",
    Verdict.bad: "red",
    Verdict.unsure: "yellow",
    Verdict.unknown: "yellow",
}
AGAIN_SECONDS = 0.25


class View:
    """Shows a canary on a console."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._live: Live | None = None
        self._said: tuple[object, ...] = ()
        self._looked: Sequence[Finding] = ()

    @contextmanager
    def open(self) -> Iterator[None]:
        """Keep a part of the terminal for what changes."""
        if not self.console.is_terminal:
            yield
            return
        with Live(console=self.console, transient=True, refresh_per_second=1 / AGAIN_SECONDS) as self._live:
            yield
        self._live = None

    def tell(self, line: str) -> None:
        """Say something that stays."""
        self.console.print(f"{time.strftime('%H:%M:%S')}  {line}", markup=False, soft_wrap=True)

    def ask(self, question: str, answers: str) -> str:
        """Ask a person for a letter; the first one where nobody is there."""
        if not self.console.is_terminal or self._live is None:
            return answers[0]
        self._live.stop()
        try:
            said = self.console.input(f"{question.replace('[', chr(92) + '[')} ").strip().lower()[:1]
        except EOFError:
            said = ""
        self._live.start()
        return said if said and said in answers else answers[0]

    def show(self, scene: Scene) -> None:
        """Show where things stand."""
        if self._live is not None:
            self._live.update(panel(scene))
            return
        state = (scene.step, scene.phase, scene.paused)
        looked = bool(scene.findings) and scene.findings is not self._looked
        if state != self._said or looked:
            self._said, self._looked = state, scene.findings
            self.tell(line(scene, looked=looked))


def line(scene: Scene, *, looked: bool) -> str:
    """Say a moment in one line, with the figures if it is one that looked at them."""
    paused = ", paused" if scene.paused else ""
    words = [f"{scene.step}/{scene.steps} {split_of(scene.weights)}: {scene.phase}{paused}"]
    if scene.left:
        words.append(f"{clock(scene.left)} left")
    if looked and scene.measured:
        words += [f"{name} {_figures(each, scene.window)}" for name, each in scene.measured.items()]
        words += [f"{each.check} {each.verdict}: {each.says}" for each in scene.findings]
    return "; ".join(words)


def panel(scene: Scene) -> RenderableType:
    """Lay a moment out for a terminal."""
    head = Text(f"step {scene.step}/{scene.steps}  {split_of(scene.weights)}  ", style="bold")
    head.append("paused" if scene.paused else scene.phase, style="yellow" if scene.paused else "")
    if scene.left is not None:
        head.append(f"  {clock(scene.left)} left")
    if scene.failures:
        head.append(f"  {scene.failures} of {scene.allowed} bad looks", style="red")
    table = Table("version", "wanted", "measured", "requests/s", "errors", "p50", "p90", "p99", box=None)
    shares = {each.version: each for each in scene.shares}
    total = sum(each.requests for each in (scene.measured or {}).values())
    for version, weight in scene.weights.items():
        measured = (scene.measured or {}).get(version)
        share = f"{100 * measured.requests / total:.1f} %" if measured and total else "-"
        agrees = version in shares and not shares[version].agrees
        table.add_row(
            version,
            f"{weight} %",
            Text(share, style="yellow" if agrees else ""),
            *(_cells(measured, scene.window) if measured else ("-",) * 5),
        )
    verdicts = [
        Text(f"{each.check}: {each.verdict}, {each.says}", style=COLOURS[each.verdict])
        for each in scene.findings
    ]
    return Group(head, table, *verdicts)


def split_of(weights: Mapping[str, int]) -> str:
    """Write weights as a person says them: `v1 90 · v2 10`."""
    return " · ".join(f"{version} {weight}" for version, weight in weights.items())


def _cells(measured: Measured, window: float) -> tuple[str, ...]:
    errors = f"{100 * measured.failures / measured.requests:.2f} %" if measured.requests else "-"
    times = [measured.percentile(part) for part in (0.5, 0.9, 0.99)]
    rate = f"{measured.requests / window:.1f}" if window else "-"
    return (rate, errors, *("-" if each is None else f"{each:.0f} ms" for each in times))


def _figures(measured: Measured, window: float) -> str:
    rate, errors, _, _, p99 = _cells(measured, window)
    return f"{rate}/s errors {errors} p99 {p99}"
