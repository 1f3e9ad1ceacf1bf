"""The plan of a canary, as the stack file declares it. The program has checked it already. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Self

from operations.canary.analysis.checks import Latency, Query, SuccessRate, check
from operations.canary.durations import seconds

WHOLE: Final = 100
"""All traffic, in percent."""
DEFAULT_STEPS: Final = (5, 10, 25, 50, 75, WHOLE)
DEFAULT_CHECKS: Final = (
    {"successRate": {"atLeast": 99}},
    {"latency": {"percentile": 99, "timesOld": 1.5}},
)


@dataclass(frozen=True, kw_only=True)
class Step:
    """What the new version gets in one step."""

    weight: int
    """Percent."""
    hold: float
    """Seconds of analysis."""
    match: Mapping[str, Any] | None = None
    """The conditions of a route of its own, in the keys of the stack file."""
    mirror: float | None = None
    """Percent of requests that are copied."""
    pause: bool = False
    """Wait for a person afterwards."""

    def __str__(self) -> str:
        """Say it in a few words."""
        words = [f"{self.weight} %"] if self.weight or not (self.match or self.mirror) else []
        words += ["requests that match"] if self.match else []
        words += [f"copies of {self.mirror:g} %"] if self.mirror else []
        return ", ".join(words)


@dataclass(frozen=True, kw_only=True)
class Hook:
    """Something of the team's own on the way."""

    when: Literal["start", "before-step", "after-step", "end"]
    run: str | Sequence[str] | None
    post: str | None
    timeout: float
    """Seconds."""
    on_failure: Literal["rollback", "stop", "ignore"]

    def __str__(self) -> str:
        """Name it by what it does; a URL may be a secret, but for what the stack file shows of it."""
        if self.post:
            return f"POST {self.post}"
        return self.run if isinstance(self.run, str) else " ".join(self.run or ())


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All that is decided before a canary begins. Times are in seconds."""

    steps: tuple[Step, ...]
    """The last one gives everything."""
    interval: float
    checks: tuple[SuccessRate | Latency | Query, ...]
    warm_up: float
    """From the first requests of new pods on: what they answer in this time is not judged."""
    min_requests: int
    allowed_failures: int
    no_data: Literal["wait", "continue", "stop"]
    confidence: float
    """Percent."""
    rollback_window: float
    """0 where nothing is watched after the last step."""
    remove_old: bool
    hooks: tuple[Hook, ...]

    @property
    def mirrors(self) -> bool:
        """Whether a step sends copies."""
        return any(step.mirror for step in self.steps)

    @classmethod
    def of(cls, declared: Mapping[str, Any]) -> Self:
        """Read the key `canary` of a service. What it does not say is as docs/configuration.md has it."""
        hold = declared.get("hold", "2m")
        steps = [_step(each, hold) for each in declared.get("steps") or DEFAULT_STEPS]
        if steps[-1].weight < WHOLE:
            steps.append(Step(weight=WHOLE, hold=seconds(hold)))
        return cls(
            steps=tuple(steps),
            interval=seconds(declared.get("interval", "20s")),
            checks=tuple(check(each) for each in declared.get("checks") or DEFAULT_CHECKS),
            warm_up=seconds(declared.get("warmUp", "20s")),
            min_requests=declared.get("minRequests", 100),
            allowed_failures=declared.get("allowedFailures", 1),
            no_data=declared.get("noData", "wait"),
            confidence=float(declared.get("confidence", 99)),
            rollback_window=seconds(declared.get("rollbackWindow", "")),
            remove_old=bool(declared.get("removeOld")),
            hooks=tuple(_hook(each) for each in declared.get("hooks") or ()),
        )


def _step(declared: int | Mapping[str, Any], hold: str) -> Step:
    if not isinstance(declared, Mapping):
        return Step(weight=int(declared), hold=seconds(hold))
    return Step(
        weight=declared.get("weight", 0),
        hold=seconds(declared.get("hold", hold)),
        match=declared.get("match"),
        mirror=declared.get("mirror"),
        pause=bool(declared.get("pause")),
    )


def _hook(declared: Mapping[str, Any]) -> Hook:
    return Hook(
        when=declared["when"],
        run=declared.get("run"),
        post=declared.get("post"),
        timeout=seconds(declared.get("timeout", "1m")),
        on_failure=declared.get("onFailure", "rollback"),
    )
