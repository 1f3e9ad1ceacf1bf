"""The ways to give v2 another weight: each returns when its command has ended."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from rich.console import Console

from bench.kubectl import kubectl
from bench.projects import pulumi, write_flat, write_stack
from bench.step.site import APP, NAMES, Site, settings
from operations.canary.analysis.analysis import Analysis
from operations.canary.deploy.deployment import Deployment
from operations.canary.deploy.retry import RetryingDeployment
from operations.canary.journal.journal import Journal
from operations.canary.live_environment import LiveEnvironment
from operations.canary.outcome import Outcome
from operations.canary.plan import Plan, Step
from operations.canary.rollout import CanaryRollout
from operations.canary.terminal.interrupts import Interrupts
from operations.canary.terminal.view import View
from operations.metrics.service_metrics import MetricsReader
from operations.pulumi_stack.cluster_pin import meant_cluster
from operations.pulumi_stack.program import learn
from operations.pulumi_stack.project import Project
from operations.pulumi_stack.services import services_of

OWN, FLAT, BY_HAND = NAMES
HOLD_SECONDS: Final = 5
"""Of a canary's hold, the shortest that still has time for all that is prepared in it."""


@dataclass(frozen=True, kw_only=True)
class EntryPoint:
    """One of them."""

    name: str
    namespace: str
    """The copy of the service that it changes."""
    give: Callable[[int], None]
    """Gives v2 so many percent."""
    prepare: Callable[[], None] = lambda: None
    """What goes on while nothing is decided, as in the hold of a canary."""


def entry_points(site: Site) -> list[EntryPoint]:
    """All of them, on their copies."""
    give, prepare = _canary(site)
    return [
        EntryPoint(name="`kubectl patch`", namespace=BY_HAND, give=_patch),
        EntryPoint(name="flat program, `pulumi up`", namespace=FLAT, give=partial(_flat, site)),
        EntryPoint(name="this program, `pulumi up`", namespace=OWN, give=partial(_up, site)),
        EntryPoint(name="a step of `operations canary`", namespace=OWN, give=give, prepare=prepare),
    ]


def _patch(weight: int) -> None:
    where = f"--namespace={BY_HAND}"
    change = [{"op": "replace", "path": "/spec/http/0/route", "value": _route(weight)}]
    kubectl("patch", "virtualservice", APP, where, "--type=json", f"--patch={json.dumps(change)}")


def _flat(site: Site, weight: int) -> None:
    (routes,) = (each for each in site.objects if each["kind"] == "VirtualService")
    routes["inputs"]["spec"]["http"][0]["route"] = _route(weight)
    write_flat(site.flat, site.objects)
    pulumi(site.flat, "up", "--yes", "--skip-preview", "--stack", FLAT)


def _up(site: Site, weight: int) -> None:
    write_stack(site.folder, OWN, {**settings(OWN), "weights": {"v1": 100 - weight, "v2": weight}})
    pulumi(site.folder, "up", "--yes", "--skip-preview", "--stack", OWN)


def _canary(site: Site) -> tuple[Callable[[int], None], Callable[[], None]]:
    """Take the canary's own course, with all that it does between a decision and the next hold."""
    project, view = Project.at(site.folder), View(Console(quiet=True))
    declared = learn(project, OWN)
    (service,) = services_of(declared)
    cluster = meant_cluster(declared.resources)
    world = LiveEnvironment(
        project=project,
        stack=OWN,
        service=service,
        deployment=Deployment(project.folder, OWN, view.report_line),
        cluster=cluster,
        metrics=MetricsReader.of(project, OWN, cluster),
        record=Journal(folder=site.folder / "canary"),
        view=view,
        interrupts=Interrupts(),
    )
    world.record.folder.mkdir(mode=0o700, exist_ok=True)

    def give(weight: int) -> None:
        plan = replace(Plan.of({}), steps=(Step(weight=weight, hold=0),))
        rollout = CanaryRollout(
            environment=world,
            plan=plan,
            stack=OWN,
            service=service.name,
            to="v2",
            before=dict(service.weights),
            brought=False,
            analysis=Analysis(
                environment=world, plan=plan, to="v2", old="v1", divided=True, before=0, warm_up=0
            ),
            apply=RetryingDeployment(environment=world),
        )
        outcome, said = rollout.promote()
        if outcome is not Outcome.promoted:
            message = f"the step was not made: {said}"
            raise RuntimeError(message)

    def hold() -> None:
        world.prepare()
        time.sleep(HOLD_SECONDS)

    return give, hold


def _route(weight: int) -> list[dict[str, Any]]:
    return [
        {"destination": {"host": APP, "subset": version}, "weight": share}
        for version, share in (("v1", 100 - weight), ("v2", weight))
    ]
