"""A canary as its journal has it: what was planned, for which service, and how far it came."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from operations.canary.analysis.analysis import Analysis
from operations.canary.deploy.retry import RetryingDeployment
from operations.canary.environment import Environment
from operations.canary.fixed_routes import FixedRoute
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
    """A canary that is about to begin, or goes on."""

    service: MeshService
    to: str
    declared: Mapping[str, Any]
    """The key `canary` of the stack file at the beginning; empty where there was none."""
    before: dict[str, int]
    """The weights at the beginning."""
    divided: bool
    """Whether the weights alone divide the traffic."""
    fixed: tuple[FixedRoute, ...] = ()
    """The routes that do not follow the weights."""
    brought: bool
    """Whether the new version had no pods before: then they go again when everybody is back."""
    first: int = 0
    """The first step that is not behind the weights at the beginning."""
    stepped: bool = False
    """Whether a step had begun: until then the routes are as they were, or as preparing makes them."""
    going_back: tuple[Outcome, str] | None = None
    """How it will be over, and why, if it was on its way back when it ended."""
    paused: bool = False
    """Whether somebody had paused it when it ended."""
    paused_after: int | None = None
    """The step after which the plan had paused it when it ended, if so."""
    first_requests: float | None = None
    """When the new version got its first requests, Unix seconds; None where it has had none."""

    @classmethod
    def of(cls, entries: Sequence[Entry], services: Sequence[MeshService], *, aborted: bool = False) -> Self:
        """Read it from a journal that is not over.

        Args:
            entries: the journal.
            services: what the stack declares now.
            aborted: whether everybody goes back, for which the new version need not be declared any more.

        Raises:
            OperationError: its service is no longer in the stack, or how it began cannot be read.
        """
        begun = entries[0]
        if begun["event"] != "begin":
            raise OperationError(
                "the first line of the canary's journal cannot be read: nobody knows the weights before it",
                fix="set the weights in the stack file, then pulumi up; or begin another canary",
            )
        service = next((each for each in services if each.name == begun["service"]), None)
        moved = _last_of(entries, "back", "step")
        backwards = is_rolling_back(entries)
        # On its way back the new version may have left the stack file already.
        if service is None or (begun["to"] not in service.deployments and not (backwards or aborted)):
            raise OperationError(
                f"the stack has no {begun['service']} {begun['to']} any more, of which the canary was",
                fix="put it back into the stack file",
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
            going_back=(Outcome[moved["outcome"]], moved["why"]) if backwards else None,
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
        """Begin its journal.

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
        """Learn what each step changes."""
        return stages(project, stack, self.service.name, plan=self.plan, to=self.to, before=self.before)

    def rollout(self, environment: Environment, stack: str) -> CanaryRollout:
        """Lay its course through a world."""
        environment = shielded(environment)
        analysis = Analysis(
            environment=environment,
            plan=self.plan,
            to=self.to,
            old=self.old,
            divided=self.divided,
            before=self.before[self.to],
            warm_up=self._warm_up(),
            paused=self.paused,
        )
        return CanaryRollout(
            environment=environment,
            plan=self.plan,
            stack=stack,
            service=self.service.name,
            to=self.to,
            before=self.before,
            brought=self.brought,
            fixed=self.fixed,
            paused_after=self.paused_after,
            analysis=analysis,
            apply=RetryingDeployment(environment=environment),
        )

    def _warm_up(self) -> float:
        """Tell how much of the warm-up is left: pods of a canary that goes on had a part of it already."""
        plan = self.plan
        if self.first_requests is None:
            return plan.warm_up
        return min(plan.warm_up, max(0.0, plan.warm_up - (time.time() - self.first_requests)))


def is_rolling_back(entries: Sequence[Entry]) -> bool:
    """Tell whether it was on its way back when it ended."""
    return _last_of(entries, "back", "step").get("event") == "back"


def _last_of(entries: Sequence[Entry], *events: str) -> Mapping[str, Any]:
    """Find the last entry of several kinds; an empty one where there is none."""
    return next((each for each in reversed(entries) if each["event"] in events), {})
