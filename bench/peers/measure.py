"""Releases by all three tools, in as many runs as it takes."""

import datetime as dt
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from bench.answers import moments
from bench.load import INGRESS, Load
from bench.peers.controllers import ARGO, FLAGGER, installed
from bench.peers.service import PROMETHEUS, RATE
from bench.peers.table import Row
from bench.peers.tools import TOOLS, Release
from bench.results import append, stored

ROUNDS: Final = 3
"""Releases of a bad and then of a good v2, by each tool."""
V2: Final[Mapping[str, Mapping[str, str]]] = {"bad": {"FAILURE_PERCENT": "5"}, "good": {}}
"""Variables of its pods. A team fixes the bad one and releases again; both are of one round."""
LAST_SECONDS: Final = 200
"""No round is started when less time than this is left: the slowest pair of releases took that long."""
MARGIN_SECONDS: Final = 3
"""Of requests before the start, and after the tool has reported how it ended."""
LONGEST_SECONDS: Final = 240
POLL_SECONDS: Final = 0.5


def measure(folder: Path, seconds: float) -> Iterator[Row]:
    """Continue with the rounds for some time, one of each tool before the second of any."""
    ends = time.monotonic() + seconds
    left = remaining(rows(folder))
    with ExitStack() as controllers:
        if ARGO.part.name in left:
            controllers.enter_context(installed(ARGO))
        if FLAGGER.part.name in left:
            controllers.enter_context(installed(FLAGGER, f"-metrics-server={PROMETHEUS}"))
        for tool in left:
            if time.monotonic() > ends - LAST_SECONDS:
                return
            namespace = f"bench-peers-{list(TOOLS).index(tool)}"
            with TOOLS[tool](namespace, folder / "program") as release:
                both = [_row(tool, namespace, release, v2) for v2 in V2]
            for row in both:
                append(folder / "rows.jsonl", row)
                yield row


def rows(folder: Path) -> list[Row]:
    """Return what was measured so far."""
    return [Row(**each) for each in stored(folder / "rows.jsonl")]


def remaining(found: Sequence[Row]) -> list[str]:
    """List the tools whose rounds are left, in turn."""
    done = {name: sum((row.tool, row.v2) == (name, "good") for row in found) for name in TOOLS}
    return [name for nth in range(ROUNDS) for name in TOOLS if done[name] <= nth]


def _row(tool: str, namespace: str, release: Release, v2: str) -> Row:
    at = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    with Load(INGRESS, rate=RATE, host=f"{namespace}.example.com", slow=False, each=True) as load:
        time.sleep(MARGIN_SECONDS)
        end = release(V2[v2])
        started = time.time()
        while not (ended := end()) and time.time() < started + LONGEST_SECONDS:
            time.sleep(POLL_SECONDS)
        reported = time.time() - started
        time.sleep(MARGIN_SECONDS)
    answers = load.report.each
    try:
        if v2 == "good":
            reached = moments(answers, "v1")[-1] - started
        else:
            reached = moments(answers, "v2")[-1] - moments(answers, "v2", bad=True)[0]
    except ValueError as error:
        message = f"{tool}: {v2} v2 ended with {ended!r}, and the answers do not show it: {error}"
        raise RuntimeError(message) from error
    failed = [each.version for each in answers if not each.good]
    return Row(
        tool=tool,
        v2=v2,
        at=at,
        ended=ended or f"nothing within {LONGEST_SECONDS} s",
        reported=reported,
        reached=reached,
        requests=len(answers),
        lost=len(failed) - failed.count("v2"),
        bad=failed.count("v2"),
        seen=sum(each.version == "v2" for each in answers),
    )
