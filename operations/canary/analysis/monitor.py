"""Checks pods and commands while the canary waits, and shows its state."""

from dataclasses import dataclass, field, replace

from operations.canary.analysis.commands import Commands
from operations.canary.environment import Environment
from operations.canary.outcome import Outcome, RollbackRequested
from operations.canary.plan import Plan
from operations.canary.terminal.state import CanaryState
from operations.canary.traffic import Traffic

TICK_SECONDS = 0.5
"""Between two checks of pods and commands."""


@dataclass(kw_only=True)
class Monitor:
    """The pods of the new version, and what the user sees."""

    environment: Environment
    plan: Plan
    to: str
    commands: Commands
    warm_until: float = field(default=0, init=False)
    """When the warm-up of new pods is over."""
    state: CanaryState = field(
        default_factory=lambda: CanaryState(to="", step=1, steps=1, phase="", weights={}), init=False
    )
    _pods: int = field(default=0, init=False)
    """The highest number of ready pods so far."""

    def begin(self, nth: int, traffic: Traffic, left: float | None) -> None:
        """Show another step."""
        self.state = CanaryState(
            to=self.to,
            step=nth + 1,
            steps=len(self.plan.steps),
            phase="",
            left=left,
            weights=traffic.weights,
            allowed=self.plan.allowed_failures,
        )

    def show(self, **changes: object) -> None:
        """Show a changed state."""
        self.state = replace(self.state, paused=self.commands.paused, **changes)  # type: ignore[arg-type]
        self.environment.show(self.state)

    def rest(self, seconds: float, phase: str) -> None:
        """Wait, and check pods and commands meanwhile.

        Raises:
            RollbackRequested: no pod is ready any more, or `--abort`.
            HaltRequested: the user holds the canary.
            PromotionRequested: `--promote`.
        """
        deadline = self.environment.now() + seconds
        while (left := deadline - self.environment.now()) > 0:
            self.commands.poll()
            self._count_pods()
            self.environment.sleep(min(TICK_SECONDS, left))
            self.show(phase=phase)

    def warm(self, seconds: float) -> None:
        """Start the warm-up of new pods."""
        self.warm_until = self.environment.now() + seconds

    @property
    def is_warming(self) -> bool:
        """Whether new pods warm up."""
        return self.environment.now() < self.warm_until

    def _count_pods(self) -> None:
        count = self.environment.ready(self.to)
        if count == 0:
            raise RollbackRequested(Outcome.rolled_back, f"{self.to} has no ready pods any more")
        if count is None or count <= self._pods:
            return
        # Only more pods than ever before warm up: a version that keeps crashing is judged.
        if self._pods and self.plan.warm_up:
            self.environment.report_line(
                f"{self.to} has {count} ready pods, {self._pods} before: they warm up"
            )
            self.warm(self.plan.warm_up)
        self._pods = count
