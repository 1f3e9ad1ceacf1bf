# ruff: noqa: D102 - each method does what operations.canary.environment.Environment says
"""A world of a test's own: a clock that costs no time, versions that answer as told, people on cue."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import inf
from typing import Any, Literal

from operations.canary.analysis.analysis import Analysis
from operations.canary.analysis.checks import Check, Measured
from operations.canary.analysis.commands import Commands
from operations.canary.analysis.monitor import Monitor
from operations.canary.deploy.deployment import UpdateFailed
from operations.canary.deploy.hooks import Occasion
from operations.canary.deploy.retry import RetryingDeployment
from operations.canary.ending import Ending
from operations.canary.fixed_routes import FixedRoute
from operations.canary.hook_calls import HookCalls
from operations.canary.journal.guarded_output import shielded
from operations.canary.journal.inbox import Command
from operations.canary.plan import Hook, Plan
from operations.canary.rollout import CanaryRollout
from operations.canary.terminal.state import CanaryState
from operations.canary.traffic import Traffic, heaviest
from operations.errors import OperationError
from operations.metrics.errors import MetricsError, PrometheusUnreachable

REFUSED = -1.0
"""In place of a query's value: Prometheus does not take the query."""

BOUNDS = (0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000)
"""Of Envoy's histograms, in milliseconds, up to where nothing here comes."""


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What a version answered; every answer took the same time."""

    requests: float
    failures: float
    latency: float

    @property
    def durations(self) -> Mapping[float, float]:
        """By Envoy's buckets, as Istio leaves them."""
        return {bound: self.requests if self.latency <= bound else 0 for bound in (*BOUNDS, inf)}

    def percentile(self, _share: float) -> float | None:
        """All are alike."""
        return self.latency if self.requests else None


@dataclass(kw_only=True)
class FakeEnvironment:
    """A stack with versions v1 and v2 under a steady load. What happens is in `said`, in order."""

    rate: float = 100
    """Requests per second."""
    longest: float = 20_000
    """No canary lasts so long, in seconds."""
    errors: dict[str, float] = field(default_factory=lambda: {"v1": 0.0, "v2": 0.0})
    """0 to 1."""
    latency: dict[str, float] = field(default_factory=lambda: {"v1": 10.0, "v2": 10.0})
    pods: dict[str, int | None] = field(default_factory=lambda: {"v1": 1, "v2": 1})
    sync: float = 0
    """Seconds until every proxy has acknowledged the routes of an update."""
    skew: float = 0
    """Percent of all traffic that goes to v2 beside its weight."""
    changed: list[str] = field(default_factory=list)
    hooks: dict[str, str] = field(default_factory=dict)
    """What goes wrong in a hook, by its command."""
    values: dict[str, float | None] = field(default_factory=dict)
    at: list[tuple[float, Callable[["FakeEnvironment"], None]]] = field(default_factory=list)
    """What happens at a moment, in seconds since the beginning."""
    prometheus: bool = True
    cluster: bool = True
    refuses: int = 0
    """How many updates fail."""
    file: Mapping[str, int] = field(default_factory=lambda: {"v1": 100, "v2": 0})
    copy: Mapping[str, int] | None = None
    """What updates take in place of the file, if anything."""
    unwritable: Exception | None = None
    """Why the file cannot be written."""
    live: Mapping[str, int] = field(default_factory=lambda: {"v1": 100, "v2": 0})
    said: list[str] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)
    wishes: list[Command] = field(default_factory=list)
    replies: list[tuple[str, bool]] = field(default_factory=list)
    answer: Literal["hold", "back"] | None = None
    state: CanaryState | None = None
    time: float = 0
    removed: set[str] = field(default_factory=set)
    history: list[tuple[float, Mapping[str, int]]] = field(default_factory=list)

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.time += max(seconds, 0.001)
        assert self.time < self.longest, "it waits for ever"
        for moment, happens in list(self.at):
            if moment <= self.time:
                self.at.remove((moment, happens))
                happens(self)

    def write(self, traffic: Traffic) -> None:
        if self.unwritable is not None:
            raise self.unwritable
        self.file, self.copy = traffic.weights, None

    def write_copy(self, traffic: Traffic) -> str:
        self.copy = traffic.weights
        return "in Pulumi.prod.yaml: set weights"

    def manual_rollback(self, traffic: Traffic) -> Sequence[str]:
        return [f"kubectl patch virtualservice shop {dict(traffic.weights)}"]

    def remove_versions(self, versions: set[str]) -> None:
        self.removed |= versions

    def up(self, message: str, *, refresh: bool, tick: Callable[[], None] | None = None) -> None:
        self.said.append(f"up {message}{' refreshed' if refresh else ''}")
        self.sleep(1.5)
        if tick is not None:
            tick()
        if self.refuses or not self.cluster:
            self.refuses -= bool(self.refuses)
            raise UpdateFailed("`pulumi up` failed for stack prod", evidence="error: no", fix="look")
        self.live = self.file if self.copy is None else self.copy
        self.history.append((self.time, self.live))

    @contextmanager
    def synced(self) -> Iterator[None]:
        yield
        self.sleep(self.sync)

    def ready(self, version: str) -> int | None:
        if version in self.removed:
            return 0
        return self.pods[version] if self.cluster else None

    def answers(self) -> bool:
        return self.cluster

    def drift(self) -> list[str]:
        if not self.cluster:
            raise OperationError("the cluster is away", fix="wait")
        return self.changed

    def measure(self, window: float) -> Mapping[str, Measured]:
        if not self.prometheus:
            raise PrometheusUnreachable("Prometheus is down", fix="start it")
        total = self.rate * window
        share = {
            "v1": self.live["v1"] - self.skew,
            "v2": self.live["v2"] + self.skew,
        }
        return {
            version: Answered(
                requests=total * share[version] / 100,
                failures=total * share[version] / 100 * self.errors[version],
                latency=self.latency[version],
            )
            for version in share
        }

    def value(self, check: Check, version: str, window: float) -> float | None:
        assert window > 0
        value = self.values[f"{check.name} {version}"]
        if value == REFUSED:
            raise MetricsError("refused", fix="mend")
        return value

    def run_hook(self, hook: Hook, occasion: Occasion, tick: Callable[[], None]) -> str | None:
        self.said.append(f"hook {hook} {occasion.weight} {occasion.outcome}".strip())
        tick()
        return self.hooks.get(str(hook))

    def command(self) -> Command | None:
        return self.wishes.pop(0) if self.wishes else None

    def interrupted(self) -> Literal["hold", "back"] | None:
        return self.answer

    def reply(self, text: str, *, accepted: bool = True) -> None:
        self.replies.append((text, accepted))

    def note(self, event: str, **words: object) -> bool:
        self.notes.append({"time": self.time, "event": event, **words})
        return True

    def report_line(self, line: str) -> None:
        self.said.append(line)

    def show(self, state: CanaryState) -> None:
        self.state = state

    @property
    def ups(self) -> list[str]:
        """The messages of all updates."""
        return [each.removeprefix("up ") for each in self.said if each.startswith("up ")]

    def events(self, event: str) -> list[dict[str, Any]]:
        return [each for each in self.notes if each["event"] == event]


def rollout(
    environment: FakeEnvironment,
    *,
    before: Mapping[str, int] | None = None,
    brought: bool = False,
    paused: bool = False,
    paused_after: int | None = None,
    fixed: Sequence[FixedRoute] = (),
    **plan: object,
) -> CanaryRollout:
    """Lay a canary to v2 through a world, by a plan in the keys of the stack file."""
    made = Plan.of(plan)
    weights = dict(before or {"v1": 100, "v2": 0})
    safe = shielded(environment)
    monitor = Monitor(
        environment=safe,
        plan=made,
        to="v2",
        commands=Commands(environment=safe, to="v2", paused=paused),
    )
    apply = RetryingDeployment(environment=safe)
    hooks = HookCalls(environment=safe, plan=made, stack="prod", service="shop", to="v2")
    return CanaryRollout(
        environment=safe,
        plan=made,
        to="v2",
        before=weights,
        fixed=fixed,
        paused_after=paused_after,
        apply=apply,
        analysis=Analysis(
            environment=safe,
            plan=made,
            to="v2",
            old=heaviest(weights, "v2"),
            divided=True,
            before=weights["v2"],
            warm_up=made.warm_up,
            monitor=monitor,
        ),
        ending=Ending(
            environment=safe,
            plan=made,
            stack="prod",
            to="v2",
            before=weights,
            brought=brought,
            apply=apply,
            hooks=hooks,
        ),
    )
