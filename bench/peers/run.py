"""Releases by all three, in as many runs as it takes: each row is kept as soon as it is there."""

import datetime as dt
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Final

from bench.answers import RATE, Answers
from bench.kept import keep
from bench.peers import ours
from bench.peers.app import BAD, HOLD_SECONDS, LEAST, PROMETHEUS, STEPS, URL, Tool
from bench.peers.argo import NAMESPACE as ARGO_NAMESPACE
from bench.peers.argo import argo
from bench.peers.copies import gone
from bench.peers.flagger import NAMESPACE as FLAGGER_NAMESPACE
from bench.peers.flagger import flagger
from bench.peers.happened import promoted, taken_back
from bench.peers.installed import installed
from bench.peers.programs import ARGO, FLAGGER
from bench.peers.rows import Row, columns, read
from tests.e2e.conftest import lab

ROUNDS: Final = 3
"""Releases of a bad and then of a good v2, by each tool."""
LAST_SECONDS: Final = 200
"""Nothing is begun so shortly before the time is over: the slowest pair of releases took that long."""
BEFORE_SECONDS: Final = 2
AFTER_SECONDS: Final = 3
"""Asked before the start, and after the tool has said how it ended."""
LONGEST_SECONDS: Final = 240
POLL_SECONDS: Final = 0.5
OLD, NEW = "v1", "v2"
FILE: Final = "rows.jsonl"

TOOLS: Final[Mapping[str, Callable[[Path], AbstractContextManager[Tool]]]] = {
    ours.NAME: ours.ours,
    ARGO.name: argo,
    FLAGGER.name: flagger,
}

WHAT: Final = (
    f"The same service, {RATE} requests a second at the ingress, steps of {', '.join(map(str, STEPS))} %. "
    f"The analysis is the same for all three: {HOLD_SECONDS} s a step, then one look at the success rate of "
    f"these {HOLD_SECONDS} s in the same Prometheus, which looks every 2 s; below {LEAST} % it goes back at "
    f"once. {HOLD_SECONDS} s is the shortest interval that Flagger takes. The bad v2 answers one request in "
    f"twenty with a 500. {ROUNDS} rounds; medians, and least to most. Moments are those of callers' answers, "
    "except `promoted`, which is the tool's own word: exit code 0, `Healthy`, `Succeeded`."
)


def run(folder: Path, seconds: float) -> Iterator[Row]:
    """Go on with the rounds for so long, one of each tool before the second of any."""
    ends = time.monotonic() + seconds
    folder.mkdir(parents=True, exist_ok=True)
    left = todo(rows(folder)) if seconds > LAST_SECONDS else []
    if not left:
        return
    lab("metrics")
    with ExitStack() as controllers:
        if ARGO.name in left:
            controllers.enter_context(installed(ARGO))
            controllers.callback(gone, ARGO_NAMESPACE)
        if FLAGGER.name in left:
            controllers.enter_context(installed(FLAGGER, f"-metrics-server={PROMETHEUS}"))
            controllers.callback(gone, FLAGGER_NAMESPACE)
        for name in left:
            if time.monotonic() > ends - LAST_SECONDS:
                return
            with TOOLS[name](folder / "program") as tool:
                # A team mends the bad one and releases again; both are of one round.
                both = [_release(tool, "bad", BAD), _release(tool, "good", {})]
            for row in both:
                keep(folder / FILE, row)
                yield row


def rows(folder: Path) -> list[Row]:
    """Read what was measured so far."""
    return read(folder / FILE)


def todo(found: Sequence[Row]) -> list[str]:
    """List whose round is next, to the last."""
    done = {name: sum((row.tool, row.v2) == (name, "good") for row in found) for name in TOOLS}
    return [name for nth in range(ROUNDS) for name in TOOLS if done[name] <= nth]


def table(found: Sequence[Row]) -> list[str]:
    """Write it for people."""
    return columns(found, list(TOOLS))


def _release(tool: Tool, v2: str, env: Mapping[str, str]) -> Row:
    at = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    with Answers(URL, tool.host) as answers:
        time.sleep(BEFORE_SECONDS)
        how = tool.release(env)
        began = time.monotonic()
        ended = _await(how)
        said = time.monotonic() - began
        time.sleep(AFTER_SECONDS)
    every = answers.all
    try:
        if v2 == "good":
            last, splits = promoted(every, NEW, OLD, STEPS)
            reached = last - began
        else:
            first, last, split = taken_back(every, NEW, STEPS[0])
            reached, splits = last - first, [split]
    except ValueError as error:
        message = f"{tool.name}: {v2} v2 ended with {ended!r}, and the answers do not show its steps: {error}"
        raise RuntimeError(message) from error
    failed = [each for each in every if not each.good]
    bad = sum(each.version == NEW for each in failed)
    return Row(
        tool=tool.name,
        v2=v2,
        at=at,
        ended=ended,
        said=said,
        reached=reached,
        requests=len(every),
        lost=len(failed) - bad,
        bad=bad,
        seen=sum(each.version == NEW for each in every),
        splits=splits,
    )


def _await(how: Callable[[], str | None]) -> str:
    deadline = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < deadline:
        if ended := how():
            return ended
        time.sleep(POLL_SECONDS)
    return f"nothing within {LONGEST_SECONDS} s"
