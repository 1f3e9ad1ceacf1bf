"""Makes steps in all ways, in turn, and notes for each when Envoy sent the new split."""

import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.answers import RATE, Answers, changed
from bench.projects import host
from bench.step.site import SHARE, Site, site
from bench.step.ways import EntryPoint, entry_points

ROUNDS: Final = 8
"""Steps of each way, up and down in turn."""
OTHER: Final = 100 - SHARE
"""The other weight of v2: few answers tell them apart, and neither is 0, of which a version has to arrive."""
BEFORE_SECONDS: Final = 0.5
AFTER_SECONDS: Final = 1.0
"""Asked before the decision and after the end, so that both splits are seen."""


WHAT: Final = (
    f"v2 from {SHARE} % to {OTHER} % and back, {ROUNDS} steps in each way, in turn. Seconds from the "
    f"decision until Envoy sends the new split, seen in {RATE} answers a second at the ingress, and "
    "until the way has ended. Medians; the ratios are taken round by round."
)


@dataclass(frozen=True, kw_only=True)
class Taken:
    """One step."""

    way: str
    split: float
    """Seconds from the decision until Envoy sent the new split."""
    whole: float
    """Seconds until the way had ended."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """The figures of one way."""

    way: str
    split: float
    """Median."""
    least: float
    most: float
    whole: float
    """Median."""
    by_kubectl: float
    """Median of the ratios to kubectl's step of the same round."""
    by_flat: float


def measure(folder: Path) -> Iterator[Taken]:
    """Go round all ways, so that whatever the machine does besides meets them alike."""
    with site(folder) as there:
        all_ways = entry_points(there)
        weights = {each.namespace: SHARE for each in all_ways}
        for _ in range(ROUNDS):
            for way in all_ways:
                before = weights[way.namespace]
                weights[way.namespace] = SHARE + OTHER - before
                yield _step(there, way, before, weights[way.namespace])


def rows(taken: list[Taken]) -> list[Row]:
    """Sum up; the first way is kubectl, the second the flat program."""
    by_way: dict[str, list[Taken]] = {}
    for each in taken:
        by_way.setdefault(each.way, []).append(each)
    by_hand, flat, *_ = by_way.values()
    return [
        Row(
            way=way,
            split=statistics.median(each.split for each in steps),
            least=min(each.split for each in steps),
            most=max(each.split for each in steps),
            whole=statistics.median(each.whole for each in steps),
            by_kubectl=_ratio(steps, by_hand),
            by_flat=_ratio(steps, flat),
        )
        for way, steps in by_way.items()
    ]


def table(taken: list[Taken]) -> list[str]:
    """Write it for people."""
    return [
        "| way | to new split, s | least to most | by kubectl's | by the flat program's | to its end, s |",
        "|---|---:|---:|---:|---:|---:|",
        *(
            f"| {row.way} | {row.split:.2f} | {row.least:.2f} to {row.most:.2f} | {row.by_kubectl:.1f} "
            f"| {row.by_flat:.2f} | {row.whole:.2f} |"
            for row in rows(taken)
        ),
    ]


def _step(there: Site, way: EntryPoint, before: int, weight: int) -> Taken:
    way.prepare()
    with Answers(there.url, host(way.namespace)) as answers:
        time.sleep(BEFORE_SECONDS)
        began = time.monotonic()
        way.give(weight)
        ended = time.monotonic()
        time.sleep(AFTER_SECONDS)
    failed = [each.status for each in answers.all if not each.good]
    if failed:
        message = f"{way.name}: {len(failed)} of {len(answers.all)} requests failed, with {failed[0]}"
        raise RuntimeError(message)
    moment = changed(answers.all, "v2", before / 100, weight / 100)
    return Taken(way=way.name, split=moment - began, whole=ended - began)


def _ratio(steps: list[Taken], others: list[Taken]) -> float:
    return statistics.median(one.split / other.split for one, other in zip(steps, others, strict=True))
