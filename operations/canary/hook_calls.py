"""Runs the plan's hooks around the steps and at the end."""

from collections.abc import Callable
from dataclasses import dataclass

from operations.canary.deploy.hooks import Occasion
from operations.canary.environment import Environment
from operations.canary.outcome import UNEXPECTED, HaltRequested, Outcome, RollbackRequested
from operations.canary.plan import Plan


@dataclass(frozen=True, kw_only=True)
class HookCalls:
    """The hooks of one canary."""

    environment: Environment
    plan: Plan
    stack: str
    service: str
    to: str

    def run(self, when: str, nth: int, tick: Callable[[], None]) -> None:
        """Run the hooks of a moment; `tick` is called now and then meanwhile.

        Raises:
            HaltRequested: a hook with `onFailure: stop` failed.
            RollbackRequested: a hook with `onFailure: rollback` failed.
        """
        moments = {"start": "begins", "before-step": f"before step {nth + 1}"}
        text = f"{moments.get(when, f'step {nth + 1} is good')}: {self.plan.steps[nth]}"
        for hook in self.plan.hooks:
            if hook.when != when:
                continue
            self.environment.report_line(f"hook {hook}")
            wrong = self.environment.run_hook(hook, self._occasion(nth, "", text), tick)
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

    def run_at_end(self, outcome: Outcome, why: str) -> None:
        """Run the hooks of the end. A failure is reported and does not change the outcome."""
        occasion = self._occasion(len(self.plan.steps) - 1, str(outcome), f"{outcome}: {why}")
        for hook in self.plan.hooks:
            if hook.when != "end":
                continue
            try:
                wrong = self.environment.run_hook(hook, occasion, _ignore_commands)
            except UNEXPECTED as error:
                wrong = f"{type(error).__name__}: {error}"
            if wrong:
                self.environment.report_line(f"hook {hook}: {wrong}")

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


def _ignore_commands() -> None:
    """Take no commands: the canary has ended."""
