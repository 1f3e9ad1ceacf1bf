"""The course of a canary: its steps one after the other, and the way back."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from traceback import format_exception

from operations.canary.analysis.analysis import Analysis
from operations.canary.deploy.hooks import Occasion
from operations.canary.deploy.retry import RetryingDeployment
from operations.canary.environment import Environment
from operations.canary.fixed_routes import FixedRoute
from operations.canary.journal.inbox import Command
from operations.canary.outcome import (
    CanaryEnded,
    HaltRequested,
    Outcome,
    PromotionRequested,
    RollbackRequested,
)
from operations.canary.plan import Plan
from operations.canary.promotion import promoted
from operations.canary.traffic import Traffic, of_step, roll_back, unmoved
from operations.errors import OperationError

ANY = (Exception, SystemExit, KeyboardInterrupt)
"""Whatever a call can raise: rich makes a SystemExit of a closed pipe."""
TRACE_LINES = 30
"""Of an error that nobody has foreseen, in the journal: the place is at the end."""


@dataclass(frozen=True, kw_only=True)
class CanaryRollout:
    """One canary of one service."""

    environment: Environment
    """One that is `shielded`: notes, output and replies end nothing."""
    plan: Plan
    stack: str
    service: str
    to: str
    before: dict[str, int]
    """The weights at the beginning."""
    brought: bool
    """Whether the new version had no pods before: then they go again when everybody is back."""
    analysis: Analysis
    apply: RetryingDeployment
    fixed: Sequence[FixedRoute] = ()
    """The routes that do not follow the weights."""
    paused_after: int | None = None
    """The step after which the plan had paused a canary that goes on: it was good."""

    def run(self, first: int = 0, *, resumed: bool = False) -> tuple[Outcome, str]:
        """Go through the steps from one of them on; returns how it ended, and why."""
        return self._guarded(lambda: self._walk(first, resumed=resumed))

    def promote(self) -> tuple[Outcome, str]:
        """Give the new version everything, and judge nothing."""
        return self._guarded(self._all_at_once)

    def prepare(self, *, resumed: bool = False) -> tuple[Outcome, str] | None:
        """Deploy what the stack file says beside the weights, as a new version; returns what went wrong."""
        try:
            # One that was killed may have written its first step already.
            self.environment.write(unmoved(self.plan, self.before))
            self._own_routes()
            self.environment.report_line("deploying what the stack file says, with the weights as they are")
            self.environment.note("prepare")
            self.apply.up(f"canary {self.to}: before the first step", refresh=resumed, tick=self._listen)
        except RollbackRequested as end:
            self.environment.note("back", outcome=end.outcome.name, why=end.why)
            if self.brought:
                self._retire({self.to})
            return self._ended(end.outcome, f"{end.why}; {self.to} had no traffic")
        except CanaryEnded as end:
            return self._ended(end.outcome, end.why)
        except ANY as error:  # the new version has no traffic yet
            return self._ended(Outcome.failed, self._unexpected(error))
        return None

    def _guarded(self, walk: Callable[[], None]) -> tuple[Outcome, str]:
        try:
            walk()
        except RollbackRequested as end:
            return self.roll_back(end.outcome, end.why)
        except CanaryEnded as end:
            return self._ended(end.outcome, end.why)
        except ANY as error:  # nobody would watch the new version any more
            return self.roll_back(Outcome.rolled_back, self._unexpected(error))
        said = self._promoted()
        if self.plan.remove_old:
            weights = self._traffic(len(self.plan.steps) - 1).weights
            self._retire({version for version, weight in weights.items() if not weight})
        return self._ended(Outcome.promoted, said)

    def _promoted(self) -> str:
        """Say what the new version has in the end; without its measured share, if that cannot be had."""
        try:
            return promoted(self.to, self.fixed, *self.analysis.measured())
        except Exception:  # noqa: BLE001 (it has its weight, whatever is measured)
            return promoted(self.to, self.fixed, {}, 0)

    def _listen(self) -> None:
        """Hear people while the new version is deployed; `--promote` is for when it is."""
        with suppress(PromotionRequested):
            self.analysis.listen()

    def _walk(self, first: int, *, resumed: bool) -> None:
        if self.analysis.promoted:
            self._all_at_once()
            return
        try:
            if not resumed:
                self._hooks("start", first)
            for nth in range(first, len(self.plan.steps)):
                self._step(nth, again=resumed and nth == first)
            if self.plan.rollback_window:
                self.analysis.afterwards(self._traffic(len(self.plan.steps) - 1))
        except PromotionRequested:
            self._all_at_once()

    def _all_at_once(self) -> None:
        self.analysis.promoted = True
        self.environment.report_line("promoted by hand: nothing more is judged")
        self._give(len(self.plan.steps) - 1, refresh=False)

    def roll_back(self, outcome: Outcome, why: str) -> tuple[Outcome, str]:
        """Give the new version's traffic back, before anything else; pods that the canary brought go then."""
        self.environment.note("back", outcome=outcome.name, why=why)
        self.environment.report_line(f"going back: {why}")
        traffic = roll_back(self.plan, self.to, self.before)
        old = [version for version, weight in traffic.weights.items() if weight]
        if self._pods(self.to) and any(self._pods(version) == 0 for version in old):
            reason = f"{why}; but {' and '.join(old)} has no ready pods to go back to"
            return self._ended(Outcome.failed, reason)
        try:
            lacking = self.apply.surely(traffic, f"canary {self.to}: back, {_first_line(why)}")
        except Exception as error:  # noqa: BLE001 (it is told with what a person can do)
            return self._ended(Outcome.failed, f"{why}; and {self._rollback_failed(error, traffic)}")
        self.environment.note("applied", step=-1, weights=dict(traffic.weights))
        if self.brought:
            self._retire({self.to})
        return self._ended(outcome, f"{why}; {lacking}" if lacking else why)

    def _pods(self, version: str) -> int | None:
        try:
            return self.environment.ready(version)
        except Exception:  # noqa: BLE001 (then nobody can tell just now)
            return None

    def _rollback_failed(self, error: Exception, traffic: Traffic) -> str:
        """Say that the new version may still have its traffic, and how a person takes it away."""
        try:
            manual = list(self.environment.manual_rollback(traffic))
        except Exception:  # noqa: BLE001 (the command below remains)
            manual = []
        lines = [
            f"the way back failed: {error}",
            f"{self.to} may still have traffic, and is not watched. Once the reason is mended:",
            f"  python -m operations canary --stack {self.stack} --abort",
        ]
        if manual:
            lines.append("To move the routes at once, without Pulumi; the command above comes after it:")
        return "\n".join([*lines, *(f"  {each}" for each in manual)])

    def _unexpected(self, error: BaseException) -> str:
        """Say what nobody has foreseen; its trace is in the journal."""
        if isinstance(error, OperationError):
            return str(error)
        trace = [line for part in format_exception(error) for line in part.splitlines()]
        self.environment.note("fault", trace=trace[-TRACE_LINES:])
        where = next((line.strip() for line in reversed(trace) if line.lstrip().startswith("File ")), "")
        return f"unforeseen {type(error).__name__}: {error} ({where})"

    def _step(self, nth: int, *, again: bool) -> None:
        step = self.plan.steps[nth]
        if again and nth == self.paused_after:
            self._give(nth, refresh=True)
            self.analysis.pause(nth, self._traffic(nth))
            return
        self._hooks("before-step", nth)
        self._give(nth, refresh=again)
        self.analysis.step(nth, self._traffic(nth))
        self._hooks("after-step", nth)
        if step.pause and nth + 1 < len(self.plan.steps):
            self.analysis.pause(nth, self._traffic(nth))

    def _give(self, nth: int, *, refresh: bool) -> None:
        """Give the new version what a step says."""
        step, steps = self.plan.steps[nth], len(self.plan.steps)
        self.analysis.await_pods(nth, self._traffic(nth), again=refresh)
        self._own_routes()
        if not self.environment.note("step", step=nth, says=str(step)):
            # Killed, it could not go on from a step of which there is no record.
            raise RollbackRequested(Outcome.rolled_back, "the canary's journal cannot be written")
        self.environment.report_line(f"step {nth + 1}/{steps}: {step}")
        message = f"canary {self.to}: step {nth + 1}/{steps}, {step}"
        traffic = self._traffic(nth)
        self.apply.once(traffic, message, refresh=refresh)
        self.environment.note("applied", step=nth, weights=dict(traffic.weights))

    def _own_routes(self) -> None:
        """See that nobody else changed the routes.

        Raises:
            HaltRequested: somebody did; it says who.
        """
        if changed := self._drift():
            raise HaltRequested(
                Outcome.held, f"the routes are not as the stack made them: {'; '.join(changed)}"
            )

    def _drift(self) -> Sequence[str]:
        try:
            return self.environment.drift()
        except OperationError as error:
            self.apply.await_cluster(error.what)
            return self.environment.drift()

    def _traffic(self, nth: int) -> Traffic:
        return of_step(self.plan.steps[nth], self.plan, self.to, self.before)

    def _retire(self, versions: set[str]) -> None:
        """Take versions without weight out of the stack file, and their pods with them.

        A version that cannot go stays with weight 0, and how the canary ended stays what it is.
        """
        names = ", ".join(sorted(versions))
        self.environment.report_line(f"removing {names}, which has no traffic any more")
        try:
            self.environment.remove_versions(versions)
            self.apply.up(f"canary {self.to}: {names} removed")
        except Exception as error:  # noqa: BLE001 (the weights are right, which is what counts)
            self.environment.report_line(f"{names} stays: {error}")
        else:
            self.environment.note("removed", versions=sorted(versions))

    def _ended(self, outcome: Outcome, why: str) -> tuple[Outcome, str]:
        self.environment.note("end", outcome=str(outcome), why=why)
        self._last_replies(outcome)
        for hook in self.plan.hooks:
            if hook.when == "end":
                occasion = self._occasion(len(self.plan.steps) - 1, str(outcome), f"{outcome}: {why}")
                try:
                    wrong = self.environment.run_hook(hook, occasion, _no_client)
                except ANY as error:  # how it ended stays what it is
                    wrong = f"{type(error).__name__}: {error}"
                if wrong:
                    self.environment.report_line(f"hook {hook}: {wrong}")
        return outcome, why

    def _last_replies(self, outcome: Outcome) -> None:
        """Answer what was asked for on the way back or at the very end."""
        with suppress(Exception):
            while command := self.environment.command():
                is_back = outcome in {Outcome.rolled_back, Outcome.aborted}
                accepted = command is Command.abort and is_back
                self.environment.reply(f"the canary has ended: {outcome}", accepted=accepted)

    def _hooks(self, when: str, nth: int) -> None:
        step = self.plan.steps[nth]
        for hook in self.plan.hooks:
            if hook.when != when:
                continue
            words = {"start": "begins", "before-step": f"before step {nth + 1}"}
            text = f"{words.get(when, f'step {nth + 1} is good')}: {step}"
            self.environment.report_line(f"hook {hook}")
            wrong = self.environment.run_hook(hook, self._occasion(nth, "", text), self.analysis.listen)
            self.environment.note("hook", when=when, hook=str(hook), wrong=wrong)
            if not wrong:
                continue
            why = f"hook {hook}: {wrong}"
            if hook.on_failure == "ignore":
                self.environment.report_line(why)
            elif hook.on_failure == "stop":
                raise HaltRequested(Outcome.held, why)
            else:
                raise RollbackRequested(Outcome.rolled_back, why)

    def _occasion(self, nth: int, outcome: str, text: str) -> Occasion:
        return Occasion(
            stack=self.stack,
            service=self.service,
            version=self.to,
            step=nth + 1,
            steps=len(self.plan.steps),
            weight=self.plan.steps[nth].weight,
            outcome=outcome,
            text=f"canary of {self.service} {self.to} on {self.stack}: {text}",
        )


def _first_line(why: str) -> str:
    return why.partition("\n")[0]


def _no_client() -> None:
    """Once all is over, nobody is asked any more."""
