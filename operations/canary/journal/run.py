"""A canary that begins, or is read from its journal: its plan, its service and its progress."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from operations.canary.analysis.analysis import Analysis
from operations.canary.analysis.commands import Commands
from operations.canary.analysis.monitor import Monitor
from operations.canary.deploy.retry import RetryingDeployment
from operations.canary.ending import Ending
from operations.canary.environment import Environment
from operations.canary.fixed_routes import FixedRoute
from operations.canary.hook_calls import HookCalls
from operations.canary.journal.guarded_output import shielded
from operations.canary.journal.journal import Entry, Journal
from operations.canary.outcome import Outcome
from operations.canary.plan import Plan
from operations.canary.preview import StepPreviews, stages
from operations.canary.rollout import CanaryRollout
from operations.canary.traffic import heaviest
from operations.errors import OperationError
from operations.pulumi_stack.project import Project
from operations.pulumi_stack.services import MeshService


@dataclass(frozen=True, kw_only=True)
class Canary:
    """A canary that begins or is resumed."""

    service: MeshService
    to: str
    declared: Mapping[str, Any]
    """The key `canary` of the stack file when it began; empty if there was none."""
    before: dict[str, int]
    """The weights before it began."""
    divided: bool
    """Whether the weights alone divide the traffic."""
    fixed: tuple[FixedRoute, ...] = ()
    """The routes that do not follow the weights."""
    brought: bool
    """Whether the canary deployed the new version: a rollback removes its pods."""
    first: int = 0
    """The first step with at least the weight before it began."""
    stepped: bool = False
    """Whether a step had begun: until then the routes are those before the first step."""
    rolling_back: tuple[Outcome, str] | None = None
    """The outcome and its reason, if its process ended during a rollback."""
    paused: bool = False
    """Whether it was paused manually when its process ended."""
    paused_after: int | None = None
    """The step after which the plan had paused it when its process ended."""
    first_requests: float | None = None
    """When the new version got its first requests, in Unix seconds; None if it had none."""

    @classmethod
    def of(cls, entries: Sequence[Entry], services: Sequence[MeshService], *, aborted: bool = False) -> Self:
        """Read an unfinished canary from its journal.

        Args:
            entries: the journal.
            services: the services that the stack declares now.
            aborted: whether it is rolled back, which does not need the new version to be declared.

        Raises:
            OperationError: its service is not in the stack any more, or its first entry cannot be read.
        """
        begun = entries[0]
        if begun["event"] != "begin":
            raise OperationError(
                "the first line of the canary's journal cannot be read: the weights before it are unknown",
                fix="set the weights in the stack file, then pulumi up; or begin another canary",
            )
        service = next((each for each in services if each.name == begun["service"]), None)
        moved = _last_of(entries, "back", "step")
        backwards = is_rolling_back(entries)
        # A rollback may have removed the new version from the stack file already.
        if service is None or (begun["to"] not in service.deployments and not (backwards or aborted)):
            raise OperationError(
                f"the stack has no {begun['service']} {begun['to']} any more, which the canary needs",
                fix="restore it in the stack file",
            )
        pause = _last_of(entries, "paused", "resumed")
        return cls(
            service=service,
            to=begun["to"],
            declared=begun["plan"],
            before=begun["before"],
            divided=begun["divided"],
            fixed=tuple(map(FixedRoute.of, begun.get("fixed", ()))),
            brought=begun["brought"],
            first=begun["first"],
            stepped=bool(_last_of(entries, "step")),
            rolling_back=(Outcome[moved["outcome"]], moved["why"]) if backwards else None,
            paused=pause.get("by") == "hand",
            paused_after=pause["step"] if pause.get("by") == "plan" else None,
            first_requests=next((each["time"] for each in entries if each["event"] == "applied"), None),
        )

    @property
    def plan(self) -> Plan:
        """The plan."""
        return Plan.of(self.declared)

    @property
    def old(self) -> str:
        """The version that the new one is compared with."""
        return heaviest(self.before, self.to)

    def note(self, record: Journal, first: int) -> None:
        """Begin the journal.

        Raises:
            OperationError: it cannot be written.
        """
        record.begin(
            service=self.service.name,
            to=self.to,
            old=self.old,
            plan=self.declared,
            before=self.before,
            divided=self.divided,
            fixed=[each.noted() for each in self.fixed],
            brought=self.brought,
            first=first,
        )

    def stages(self, project: Project, stack: str) -> StepPreviews:
        """Run the program for each step."""
        return stages(project, stack, self.service.name, plan=self.plan, to=self.to, before=self.before)

    def rollout(self, environment: Environment, stack: str) -> CanaryRollout:
        """Build the rollout in an environment."""
        environment = shielded(environment)
        plan = self.plan
        apply = RetryingDeployment(environment=environment)
        commands = Commands(environment=environment, to=self.to, paused=self.paused)
        hooks = HookCalls(
            environment=environment, plan=plan, stack=stack, service=self.service.name, to=self.to
        )
        return CanaryRollout(
            environment=environment,
            plan=plan,
            to=self.to,
            before=self.before,
            fixed=self.fixed,
            paused_after=self.paused_after,
            apply=apply,
            analysis=Analysis(
                environment=environment,
                plan=plan,
                to=self.to,
                old=self.old,
                divided=self.divided,
                before=self.before[self.to],
                warm_up=self._warm_up(),
                monitor=Monitor(environment=environment, plan=plan, to=self.to, commands=commands),
            ),
            ending=Ending(
                environment=environment,
                plan=plan,
                stack=stack,
                to=self.to,
                before=self.before,
                brought=self.brought,
                apply=apply,
                hooks=hooks,
            ),
        )

    def _warm_up(self) -> float:
        """Return the seconds of warm-up that are left: the pods of a resumed canary had a part of it."""
        plan = self.plan
        if self.first_requests is None:
            return plan.warm_up
        return min(plan.warm_up, max(0.0, plan.warm_up - (time.time() - self.first_requests)))


def is_rolling_back(entries: Sequence[Entry]) -> bool:
    """Return whether the process ended during a rollback."""
    return _last_of(entries, "back", "step").get("event") == "back"


def _last_of(entries: Sequence[Entry], *events: str) -> Mapping[str, Any]:
    """Find the last entry of several events; empty if there is none."""
    return next((each for each in reversed(entries) if each["event"] in events), {})
