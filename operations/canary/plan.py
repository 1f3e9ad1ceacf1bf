"""The plan of a canary: the key `canary` of the stack file, decoded by the program's own model. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Self

from components.model import canary as model
from components.schema.decode import decode, encode
from components.schema.durations import seconds
from components.schema.issues import Path
from operations.canary.analysis.checks import Latency, Query, SuccessRate, check

WHOLE: Final = 100
"""All traffic, in percent."""


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
    """Wait for `--resume` after the step."""

    def __str__(self) -> str:
        """Summarize it."""
        words = [f"{self.weight} %"] if self.weight or not (self.match or self.mirror) else []
        words += ["requests that match"] if self.match else []
        words += [f"copies of {self.mirror:g} %"] if self.mirror else []
        return ", ".join(words)


@dataclass(frozen=True, kw_only=True)
class Hook:
    """A command or an HTTP request around the steps."""

    when: Literal["start", "before-step", "after-step", "end"]
    run: str | Sequence[str] | None
    post: str | None
    timeout: float
    """Seconds."""
    on_failure: Literal["rollback", "stop", "ignore"]

    def __str__(self) -> str:
        """Name it by its command or URL as the stack file has it: an expanded URL may contain a secret."""
        if self.post:
            return f"POST {self.post}"
        return self.run if isinstance(self.run, str) else " ".join(self.run or ())


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The plan, with times in seconds."""

    steps: tuple[Step, ...]
    """The last one gives the new version all the traffic."""
    interval: float
    checks: tuple[SuccessRate | Latency | Query, ...]
    warm_up: float
    """What new pods answer in this time after their first requests is not judged."""
    min_requests: int
    allowed_failures: int
    no_data: Literal["wait", "continue", "stop"]
    confidence: float
    """Percent."""
    rollback_window: float
    """0: nothing is analysed after the last step."""
    remove_old: bool
    hooks: tuple[Hook, ...]

    @property
    def mirrors(self) -> bool:
        """Whether a step sends copies."""
        return any(step.mirror for step in self.steps)

    @classmethod
    def of(cls, declared: Mapping[str, Any]) -> Self:
        """Decode the key `canary` of a service, which the program has validated."""
        plan, _ = decode(model.Canary, declared, Path())
        hold = _seconds(plan.hold)
        steps = [_step(each, hold) for each in plan.steps]
        if steps[-1].weight < WHOLE:
            steps.append(Step(weight=WHOLE, hold=hold))
        return cls(
            steps=tuple(steps),
            interval=_seconds(plan.interval),
            checks=tuple(map(check, plan.checks)),
            warm_up=_seconds(plan.warm_up),
            min_requests=plan.min_requests,
            allowed_failures=plan.allowed_failures,
            no_data=plan.no_data,
            confidence=float(plan.confidence),
            rollback_window=_seconds(plan.rollback_window or ""),
            remove_old=bool(plan.remove_old),
            hooks=tuple(map(_hook, plan.hooks)),
        )


def _step(declared: int | model.Step, hold: float) -> Step:
    if isinstance(declared, int):
        return Step(weight=declared, hold=hold)
    return Step(
        weight=declared.weight,
        hold=_seconds(declared.hold) if declared.hold else hold,
        match=encode(declared.match) if declared.match else None,
        mirror=declared.mirror,
        pause=bool(declared.pause),
    )


def _hook(declared: model.Hook) -> Hook:
    return Hook(
        when=declared.when,
        run=declared.run,
        post=declared.post,
        timeout=_seconds(declared.timeout),
        on_failure=declared.on_failure,
    )


def _seconds(duration: str) -> float:
    return float(seconds(duration) or 0)
