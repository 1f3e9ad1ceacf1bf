# ruff: noqa: D102 - each method does what operations.canary.environment.Environment says
"""Whole canaries under simulated traffic, judged by the real code from what a Prometheus would answer.

Requests are drawn by chance, with a seed; the proxies' counters are scraped as often as a real Prometheus
does; and each query gets what `increase` makes of the scrapes in its window, with its extrapolation.
"""

import json
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from math import erf, inf, log, sqrt
from typing import Any, Final

import numpy as np

from operations.canary.analysis.checks import Measured
from operations.canary.outcome import Outcome
from operations.metrics.prometheus import Prometheus
from operations.metrics.queries import Queries
from operations.metrics.service_metrics import MetricsReader
from operations.metrics.transport import Reply
from operations.pulumi_stack.services import MeshService
from tests.unit.operations.canary.environments import FakeEnvironment, rollout

BOUNDS = (
    0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000, 600_000,
    1_800_000, 3_600_000, inf,
)  # fmt: skip
"""Of Envoy's histograms, in milliseconds. Istio's own metric has them too, the lab's is made of Envoy's."""
LOOKBACK_SECONDS = 300
"""For so long Prometheus takes a series' last sample for its present one."""
SHOP = MeshService(
    name="shop", namespace="shop", weights={"v1": 100, "v2": 0}, deployments={}, hosts={"shop": None}
)


@dataclass(frozen=True, kw_only=True)
class Version:
    """How a version answers."""

    median: float = 4
    """Milliseconds."""
    spread: float = 0.6
    """Of the logarithm: with 0.6, p99 is four times the median."""
    delay: float = 0
    """Milliseconds on top of each answer."""
    errors: float = 0.001
    """0 to 1."""
    pods: int = 1
    pauses: float = 0.1
    """How often a pod stops for a moment, per second: a garbage collector, a throttled CPU, a neighbour."""
    pause: float = 30
    """How long that takes, in milliseconds on average. Requests that come in meanwhile wait for its end."""
    cold: float = 0
    """Seconds from its first requests in which every answer takes 500 ms more, and each tenth fails."""

    def shares(self) -> np.ndarray[Any, Any]:
        """Return the part of the requests in each bucket, pauses left out."""
        below = [
            0.5 * (1 + erf(log((bound - self.delay) / self.median) / (self.spread * sqrt(2))))
            if bound > self.delay
            else 0.0
            for bound in BOUNDS
        ]
        return np.diff([0.0, *below[:-1], 1.0])


@dataclass(kw_only=True)
class Counters:
    """What the proxies counted of a version, at each scrape since its first request."""

    times: list[float] = field(default_factory=list)
    failures: list[float] = field(default_factory=list)
    successes: list[float] = field(default_factory=list)
    buckets: list[np.ndarray[Any, Any]] = field(default_factory=list)

    def series(self, *, buckets: bool) -> Iterator[tuple[str, str, int, Callable[[int], float]]]:
        """List the series: label, its value, the scrape that first had it, and the count at a scrape.

        All buckets of a histogram are there with the first request, a status with its first answer.
        """
        if buckets:
            for nth, bound in enumerate(BOUNDS):
                yield "le", f"{bound:g}", 0, partial(self._bucket, nth)
            return
        for status, counts in (("200", self.successes), ("500", self.failures)):
            known = next((scrape for scrape, count in enumerate(counts) if count), len(counts))
            yield "response_code", status, known, counts.__getitem__

    def _bucket(self, nth: int, scrape: int) -> float:
        return float(self.buckets[scrape][nth])


@dataclass(kw_only=True)
class SimulatedEnvironment(FakeEnvironment):
    """Versions v1 and v2 behind proxies with counters, and a Prometheus that scrapes them."""

    seed: int = 0
    v1: Version = field(default_factory=Version)
    v2: Version = field(default_factory=Version)
    scrape: float = 15
    """Seconds between two scrapes: Istio's addon has 15, the lab 2."""
    beside: float = 5
    """Percent that v2 gets in a step without weight, by its route or as copies."""

    def __post_init__(self) -> None:
        """Run for a while before anything begins: Prometheus knows the old version."""
        self._chance = np.random.default_rng(self.seed)
        self._drawn = 0.0
        self._first = inf
        self._scraped = self._chance.uniform(0, self.scrape)
        self._counts = {each: np.zeros(len(BOUNDS)) for each in ("v1", "v2")}
        self._failed = dict.fromkeys(("v1", "v2"), 0.0)
        self._seen = {each: Counters() for each in ("v1", "v2")}
        self._figures = MetricsReader(Prometheus(self), Queries())
        self.address = "simulated"
        self.sleep(120)

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        while self._scraped <= self.time:
            self._draw(self._scraped, self.live)
            for version, seen in self._seen.items():
                if (total := self._counts[version].sum()) > 0:
                    seen.times.append(self._scraped)
                    seen.failures.append(self._failed[version])
                    seen.successes.append(total - self._failed[version])
                    seen.buckets.append(np.cumsum(self._counts[version]))
            self._scraped += self.scrape

    def up(self, message: str, *, refresh: bool, tick: Callable[[], None] | None = None) -> None:
        before = self.live
        super().up(message, refresh=refresh, tick=tick)
        self._draw(self.time, before)

    def answered(self, version: str) -> float:
        """Count the requests that a version had."""
        return float(self._counts[version].sum())

    def measure(self, window: float) -> Mapping[str, Measured]:
        assert window > 0
        return self._figures.measured(SHOP, window=window).versions

    def get(self, _path: str, parameters: Mapping[str, str]) -> Reply:
        """Answer a query for requests or durations as Prometheus would."""
        query = parameters["query"]
        found = re.search(r"\[(\d+)ms\]", query)
        assert found
        window = int(found[1]) / 1000
        result = []
        for version, seen in self._seen.items():
            for label, value, known, counts in seen.series(buckets="_bucket" in query):
                growth = self._increase(seen.times, counts, known, window)
                if growth is not None:
                    labels = {"destination_service_name": "shop", "destination_version": version}
                    result.append({"metric": labels | {label: value}, "value": [self.time, str(growth)]})
        data = {"resultType": "vector", "result": result}
        return Reply(status=200, text=json.dumps({"status": "success", "data": data}))

    def _increase(
        self, times: list[float], counts: Callable[[int], float], known: int, window: float
    ) -> float | None:
        """Do as Prometheus' promql/functions.go, extrapolatedRate, and as the query does for a new series."""
        start = self.time - window
        first, last = max(known, bisect_right(times, start)), bisect_right(times, self.time) - 1
        if last < first:
            return None
        if first == known:
            return float(counts(last))
        if last == first:
            return None
        grown, sampled = counts(last) - counts(first), times[last] - times[first]
        between = sampled / (last - first)
        to_start, to_end = times[first] - start, self.time - times[last]
        if to_start >= between * 1.1:
            to_start = between / 2
        if grown > 0:
            to_start = min(to_start, sampled * counts(first) / grown)
        if to_end >= between * 1.1:
            to_end = between / 2
        return float(grown * (sampled + to_start + to_end) / sampled)

    def _draw(self, until: float, weights: Mapping[str, int]) -> None:
        """Let requests come in until a moment."""
        length = until - self._drawn
        if length <= 0:
            return
        if weights["v2"] and self._first == inf:
            self._first = self._drawn
        for name, version in (("v1", self.v1), ("v2", self.v2)):
            share = (
                weights[name] if weights["v2"] or not self.history else {"v1": 100, "v2": self.beside}[name]
            )
            requests = int(self._chance.poisson(self.rate * share / 100 * length))
            cold = name == "v2" and version.cold and self._drawn < self._first + version.cold
            how = replace(version, delay=500, errors=0.1) if cold else version
            self._counts[name] += self._buckets(how, requests, length)
            self._failed[name] += self._chance.binomial(requests, how.errors)
        self._drawn = until

    def _buckets(self, version: Version, requests: int, length: float) -> np.ndarray[Any, Any]:
        counted = self._chance.multinomial(requests, version.shares()).astype(float)
        for _ in range(self._chance.poisson(version.pauses * version.pods * length)):
            lasts = self._chance.exponential(version.pause)
            hit = min(requests, self._chance.poisson(requests / length / version.pods * lasts / 1000))
            waits = version.delay + version.median + self._chance.uniform(0, lasts, hit)
            # Who waits is one of those that were counted as quick.
            quick = int(counted.argmax())
            hit = min(hit, int(counted[quick]))
            counted[quick] -= hit
            for nth in np.searchsorted(BOUNDS, waits[:hit]):
                counted[nth] += 1
        return counted


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a canary ended."""

    promoted: bool
    description: str
    most: int
    """The highest weight that the new version had, in percent."""
    requests: float
    """To the new version, until it was promoted or had none any more."""
    minutes: float


def canary(
    versions: tuple[Version, Version],
    *,
    rate: float,
    seed: int,
    plan: Mapping[str, Any] | None = None,
    scrape: float = 15,
) -> Ended:
    """Run one canary.

    Args:
        versions: the old one and the new one.
        rate: requests per second to both.
        seed: of chance: the same one gives the same canary.
        plan: in the keys of the stack file; the default one where absent.
        scrape: seconds between two scrapes of Prometheus: Istio's addon has 15, the lab 2.
    """
    old, new = versions
    environment = SimulatedEnvironment(rate=rate, v1=old, v2=new, scrape=scrape, seed=seed)
    began = environment.time
    outcome, why = rollout(environment, **(plan or {})).run()
    return Ended(
        promoted=outcome is Outcome.promoted,
        description=f"{outcome}: {why}",
        most=max(weights["v2"] for _, weights in environment.history),
        requests=environment.answered("v2"),
        minutes=(environment.time - began) / 60,
    )


DOCS: Final[Mapping[str, Any]] = {
    "steps": [
        {"mirror": 20, "hold": "1m"},
        {"match": {"headers": {"x-user-group": "insider"}}},
        5,
        {"weight": 25, "hold": "10m"},
        50,
    ],
    "hold": "2m",
    "interval": "20s",
    "checks": [
        {"successRate": {"atLeast": 99.5, "belowOld": 0.5}},
        {"latency": {"percentile": 99, "atMost": "1s", "timesOld": 1.5, "minDifference": "50ms"}},
    ],
    "minRequests": 200,
}
"""The plan of docs/canary.md, without what waits for a person or asks a query of the team's own."""
README: Final[Mapping[str, Any]] = {
    "steps": [5, 25, 50, 100],
    "hold": "2m",
    "checks": [{"successRate": {"atLeast": 99}}, {"latency": {"timesOld": 1.5}}],
}
"""The plan of README.md."""
SECONDS: Final[Mapping[str, Any]] = {
    "steps": [10, 30],
    "hold": "8s",
    "interval": "4s",
    "warmUp": "2s",
    "minRequests": 30,
}
"""A canary of seconds, as on the lab, with the default checks."""
PLANS: Final[Mapping[str, Mapping[str, Any]]] = {
    "default": {},
    "docs/canary.md": DOCS,
    "README.md": README,
    "of seconds": SECONDS,
}
EQUAL: Final[Mapping[str, tuple[Version, Version]]] = {
    "1 pod each": (Version(), Version()),
    "4 pods each": (Version(pods=4), Version(pods=4)),
    "1 pod and 4": (Version(), Version(pods=4)),
    "long pauses": (Version(pauses=0.1, pause=150), Version(pauses=0.1, pause=150)),
    "slow alike": (Version(median=150, spread=0.9), Version(median=150, spread=0.9)),
    "cold for 15 s": (Version(), Version(cold=15)),
    "1 ms against 3": (Version(median=0.4, spread=0.4, pauses=0), Version(median=0.5, spread=0.45, pauses=0)),
}
"""Versions that a canary promotes. The last is the reviewers' case: p99 about 1.0 and 1.4 ms."""
BAD: Final[Mapping[str, tuple[Version, Version]]] = {
    "2 % more errors": (Version(), Version(errors=0.021)),
    "300 ms more": (Version(), Version(delay=300)),
}
