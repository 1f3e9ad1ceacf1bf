"""The steps of a canary, one after the other, up to the promotion or the rollback."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from traceback import format_exception

from operations.canary.analysis.analysis import Analysis
from operations.canary.deploy.retry import RetryingDeployment
from operations.canary.ending import Ending
from operations.canary.environment import Environment
from operations.canary.fixed_routes import FixedRoute
from operations.canary.outcome import (
    UNEXPECTED,
    CanaryEnded,
    HaltRequested,
    Outcome,
    PromotionRequested,
    RollbackRequested,
)
from operations.canary.plan import Plan
from operations.canary.promotion import promoted
from operations.canary.terminal.text import split_of
from operations.canary.traffic import Traffic, of_step, unmoved
from operations.errors import OperationError

TRACE_LINES = 30
"""Lines of an unexpected error's trace in the journal: the cause is at the end."""


@dataclass(frozen=True, kw_only=True)
class CanaryRollout:
    """One canary of one service."""

    environment: Environment
    """A shielded one: failed notes, output and replies end nothing."""
    plan: Plan
    to: str
    before: dict[str, int]
    """The weights before the canary."""
    analysis: Analysis
    apply: RetryingDeployment
    ending: Ending
    fixed: Sequence[FixedRoute] = ()
    """The routes that do not follow the weights."""
    paused_after: int | None = None
    """The step after which the plan had paused the canary that is resumed: this step has passed."""

    def run(self, first: int = 0, *, resumed: bool = False) -> tuple[Outcome, str]:
        """Run the steps from one of them on; returns the outcome and its reason."""
        return self._guarded(lambda: self._run_steps(first, resumed=resumed))

    def promote(self) -> tuple[Outcome, str]:
        """Give the new version all the traffic, without analysis."""
        return self._guarded(self._promote_now)

    def roll_back(self, outcome: Outcome, why: str) -> tuple[Outcome, str]:
        """Roll back."""
        return self.ending.roll_back(outcome, why)

    def prepare(self, *, resumed: bool = False) -> tuple[Outcome, str] | None:
        """Deploy the stack file with the weights unchanged; returns an outcome if that ends the canary."""
        try:
            # A canary that was killed may have written its first step already.
            self.environment.write(unmoved(self.plan, self.before))
            self._require_own_routes()
            self.environment.report_line("deploying the stack file with the weights unchanged")
            self.environment.note("prepare")
            self.apply.up(f"canary {self.to}: before the first step", refresh=resumed, tick=self._poll)
        except RollbackRequested as end:
            self.environment.note("back", outcome=end.outcome.name, why=end.why)
            if self.ending.brought:
                self.ending.remove({self.to})
            return self.ending.end(end.outcome, f"{end.why}; {self.to} had no traffic")
        except CanaryEnded as end:
            return self.ending.end(end.outcome, end.why)
        except UNEXPECTED as error:  # the new version has no traffic yet
            return self.ending.end(Outcome.failed, self._unexpected(error))
        return None

    def _guarded(self, work: Callable[[], None]) -> tuple[Outcome, str]:
        try:
            work()
        except RollbackRequested as end:
            return self.roll_back(end.outcome, end.why)
        except CanaryEnded as end:
            return self.ending.end(end.outcome, end.why)
        except UNEXPECTED as error:  # the new version would not be analysed any more
            return self.roll_back(Outcome.rolled_back, self._unexpected(error))
        result = self._promoted()
        if self.plan.remove_old:
            weights = self._traffic(len(self.plan.steps) - 1).weights
            self.ending.remove({version for version, weight in weights.items() if not weight})
        return self.ending.end(Outcome.promoted, result)

    def _promoted(self) -> str:
        """Describe the result of the promotion; without the measured share if that is not available."""
        try:
            return promoted(self.to, self.fixed, *self.analysis.measured())
        except Exception:  # noqa: BLE001 (the weight is in place, whatever is measured)
            return promoted(self.to, self.fixed, {}, 0)

    def _poll(self) -> None:
        """Apply commands while the new version is deployed; `--promote` waits until it is."""
        with suppress(PromotionRequested):
            self.analysis.monitor.commands.poll()

    def _run_steps(self, first: int, *, resumed: bool) -> None:
        commands = self.analysis.monitor.commands
        if commands.promoted:
            self._promote_now()
            return
        try:
            if not resumed:
                self.ending.hooks.run("start", first, commands.poll)
            for nth in range(first, len(self.plan.steps)):
                self._step(nth, again=resumed and nth == first)
            if self.plan.rollback_window:
                self.analysis.rollback_window(self._traffic(len(self.plan.steps) - 1))
        except PromotionRequested:
            self._promote_now()

    def _promote_now(self) -> None:
        self.analysis.monitor.commands.promoted = True
        self.environment.report_line("promoted manually: the analysis ends here")
        self._deploy(len(self.plan.steps) - 1, refresh=False)

    def _step(self, nth: int, *, again: bool) -> None:
        step, poll = self.plan.steps[nth], self.analysis.monitor.commands.poll
        if again and nth == self.paused_after:
            self._deploy(nth, refresh=True)
            self.analysis.pause(nth, self._traffic(nth))
            return
        self.ending.hooks.run("before-step", nth, poll)
        self._deploy(nth, refresh=again)
        self.analysis.step(nth, self._traffic(nth))
        self.ending.hooks.run("after-step", nth, poll)
        if step.pause and nth + 1 < len(self.plan.steps):
            self.analysis.pause(nth, self._traffic(nth))

    def _deploy(self, nth: int, *, refresh: bool) -> None:
        """Deploy a step, and wait until the proxies have acknowledged it."""
        step, name = self.plan.steps[nth], f"step {nth + 1}/{len(self.plan.steps)}"
        traffic = self._traffic(nth)
        self.analysis.await_pods(nth, traffic, again=refresh)
        self._require_own_routes()
        if not self.environment.note("step", step=nth, says=str(step)):
            # After a kill it could not resume at a step that is not in the journal.
            raise RollbackRequested(Outcome.rolled_back, "the canary's journal cannot be written")
        self.environment.report_line(f"{name}: {step}")
        self.apply.once(traffic, f"canary {self.to}: {name}, {step}", refresh=refresh)
        self.environment.note("applied", step=nth, weights=dict(traffic.weights))
        self.environment.report_line(f"{name} deployed: {split_of(traffic.weights)}")

    def _require_own_routes(self) -> None:
        """Check that the routes have no manual changes.

        Raises:
            HaltRequested: they have; the message names the field manager.
        """
        if changed := self._drift():
            raise HaltRequested(Outcome.held, f"the routes have manual changes: {'; '.join(changed)}")

    def _drift(self) -> Sequence[str]:
        try:
            return self.environment.drift()
        except OperationError as error:
            self.apply.await_cluster(error.what)
            return self.environment.drift()

    def _traffic(self, nth: int) -> Traffic:
        return of_step(self.plan.steps[nth], self.plan, self.to, self.before)

    def _unexpected(self, error: BaseException) -> str:
        """Describe an unexpected error, and write its trace to the journal."""
        if isinstance(error, OperationError):
            return str(error)
        trace = [line for part in format_exception(error) for line in part.splitlines()]
        self.environment.note("fault", trace=trace[-TRACE_LINES:])
        where = next((line.strip() for line in reversed(trace) if line.lstrip().startswith("File ")), "")
        return f"unexpected {type(error).__name__}: {error} ({where})"
