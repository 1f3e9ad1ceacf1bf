"""How a canary ends: the rollback, the removal of versions without traffic, and the last entries."""

from contextlib import suppress
from dataclasses import dataclass

from operations.canary.deploy.retry import RetryingDeployment
from operations.canary.environment import Environment
from operations.canary.hook_calls import HookCalls
from operations.canary.journal.inbox import Command
from operations.canary.outcome import Outcome
from operations.canary.plan import Plan
from operations.canary.traffic import Traffic, roll_back


@dataclass(frozen=True, kw_only=True)
class Ending:
    """Ends one canary."""

    environment: Environment
    plan: Plan
    stack: str
    to: str
    before: dict[str, int]
    """The weights before the canary."""
    brought: bool
    """Whether the canary deployed the new version: a rollback removes its pods."""
    apply: RetryingDeployment
    hooks: HookCalls

    def roll_back(self, outcome: Outcome, why: str) -> tuple[Outcome, str]:
        """Take the new version's traffic away first, then its pods if the canary deployed them."""
        self.environment.note("back", outcome=outcome.name, why=why)
        self.environment.report_line(f"rolling back: {why}")
        traffic = roll_back(self.plan, self.to, self.before)
        old = [version for version, weight in traffic.weights.items() if weight]
        if self._pods(self.to) and any(self._pods(version) == 0 for version in old):
            reason = f"{why}; but {' and '.join(old)} has no ready pods to roll back to"
            return self.end(Outcome.failed, reason)
        try:
            lacking = self.apply.surely(traffic, f"canary {self.to}: rollback, {_first_line(why)}")
        except Exception as error:  # noqa: BLE001 (reported with the commands that fix it)
            return self.end(Outcome.failed, f"{why}; and {self._rollback_failed(error, traffic)}")
        self.environment.note("applied", step=-1, weights=dict(traffic.weights))
        if self.brought:
            self.remove({self.to})
        return self.end(outcome, f"{why}; {lacking}" if lacking else why)

    def remove(self, versions: set[str]) -> None:
        """Remove versions without weight from the stack file, and their pods with them.

        A version that cannot be removed stays with weight 0; the outcome is the same.
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

    def end(self, outcome: Outcome, why: str) -> tuple[Outcome, str]:
        """Write the end to the journal, answer the last commands and run the last hooks."""
        self.environment.note("end", outcome=str(outcome), why=why)
        with suppress(Exception):
            while command := self.environment.command():
                is_back = outcome in {Outcome.rolled_back, Outcome.aborted}
                accepted = command is Command.abort and is_back
                self.environment.reply(f"the canary has ended: {outcome}", accepted=accepted)
        self.hooks.run_at_end(outcome, why)
        return outcome, why

    def _pods(self, version: str) -> int | None:
        try:
            return self.environment.ready(version)
        except Exception:  # noqa: BLE001 (unknown for now)
            return None

    def _rollback_failed(self, error: Exception, traffic: Traffic) -> str:
        """Report that the new version may still have traffic, and the commands that take it away."""
        try:
            manual = list(self.environment.manual_rollback(traffic))
        except Exception:  # noqa: BLE001 (the command below remains)
            manual = []
        lines = [
            f"the rollback failed: {error}",
            f"{self.to} may still have traffic, and is not analysed. Once the cause is fixed:",
            f"  python -m operations canary --stack {self.stack} --abort",
        ]
        if manual:
            lines.append("To move the routes now, without Pulumi; run the command above afterwards:")
        return "\n".join([*lines, *(f"  {each}" for each in manual)])


def _first_line(why: str) -> str:
    return why.partition("\n")[0]
