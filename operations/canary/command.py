"""`python -m operations canary`: what was asked for, and how it ends."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from operations.canary import report
from operations.canary.beginning import begin, can_judge, unfinished
from operations.canary.briefing import show_fixed, show_pending, show_plan
from operations.canary.course import Course
from operations.canary.deploy import Deployment
from operations.canary.interrupts import Interrupts
from operations.canary.journal import Canary
from operations.canary.live import LiveWorld
from operations.canary.outcome import Outcome
from operations.canary.record import Record, Wish, last
from operations.canary.status import show_status
from operations.canary.view import View, split_of
from operations.declared import learn
from operations.errors import OperationError
from operations.figures.measured import Figures
from operations.pin import meant_cluster
from operations.project import Project
from operations.recovery.command import settle
from operations.services import MeshService, services_of

TAKEN_SECONDS = 60.0
"""How long a canary may take to hear a wish: longer than a `pulumi up`."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What was asked for."""

    stack: str
    to: str | None = None
    service: str | None = None
    preview: bool = False
    wish: Wish | None = None
    status: bool = False
    yes: bool = False
    report: Path | None = None


def canary(project: Project, request: Request, console: Console) -> int:
    """Do what was asked for; returns the exit code.

    Raises:
        OperationError: it cannot be done; where everything stands did not change.
    """
    view = View(console)
    deployment = Deployment(project.folder, request.stack, view.tell)
    record = Record.of(deployment.backend, project.name, request.stack)
    if request.status:
        show_status(record, console)
        return 0
    if request.wish and record.runs:
        return _ask(record, request.wish, console)
    if request.wish is Wish.pause:
        raise OperationError(
            f"no canary of stack {request.stack} runs",
            mend=f"python -m operations canary --stack {request.stack} --status",
        )
    with ExitStack() as stack:
        if not request.preview:
            stack.enter_context(record.locked())
        return _alone(project, request, deployment, record, view)


def _alone(project: Project, request: Request, deployment: Deployment, record: Record, view: View) -> int:
    """Begin or go on, as the only canary of the stack."""
    console = view.console
    if request.wish:
        settle(project, request.stack, view.tell)
    resources = learn(project, request.stack)
    services = services_of(resources)
    one = Canary.of(unfinished(record, request.stack), services) if request.wish else None
    service = one.service if one else _service(services, request.service)
    world = LiveWorld(
        project=project,
        stack=request.stack,
        service=service,
        deployment=deployment,
        cluster=meant_cluster(resources.resources),
        figures=Figures.of(project, request.stack, meant_cluster(resources.resources)),
        record=record,
        view=view,
        interrupts=Interrupts(),
    )
    if one:
        return _go_on(one, world, request)
    new, first = begin(
        project, request.stack, request.to, service=service, deployment=deployment, record=record
    )
    asks = console.is_terminal and not (request.yes or request.preview)
    if not (asks or request.preview):
        world.prepare()
    console.print(f"canary of {service.name} to {new.to} on stack {request.stack}, beside {new.old}")
    if not new.declared:
        console.print(f"{project.stack_file(request.stack).name} has no plan under canary: the default one")
    with ThreadPoolExecutor(1) as beside:
        previewed = beside.submit(deployment.changes)
        stages = new.stages(project, request.stack)
    show_pending(pending := previewed.result(), console)
    show_plan(new.plan, stages, first, console)
    show_fixed(new.fixed, console)
    if not new.divided:
        console.print("routes, mirror or cookie divide traffic too: the split is shown, and not judged")
    if request.preview:
        return 0
    can_judge(world, new)
    if asks:
        if console.input("begin? (y/n) ").strip().lower() != "y":
            return 0
        world.prepare()  # what was true before the question may have changed meanwhile
    record.begin()
    new.note(record, first)
    return _run(new, world, request, first, prepare=bool(pending))


def _go_on(one: Canary, world: LiveWorld, request: Request) -> int:
    """Go on with a canary that was killed or stopped, from where the cluster really is."""
    world.prepare()
    if request.wish is Wish.abort:
        return _run(one, world, request, 0, back=(Outcome.aborted, "aborted by hand"))
    if request.wish is Wish.resume and one.going_back:
        return _run(one, world, request, 0, back=one.going_back)
    stages = one.stages(world.project, request.stack)
    standing = stages.standing(world.cluster) if one.stepped else -1
    if standing is None:
        raise OperationError(
            "the live routes are of none of the plan's steps: somebody changed them; nothing was changed",
            mend=f"python -m operations drift --stack {request.stack} says what and who; "
            f"to have everybody back: python -m operations canary --stack {request.stack} --abort",
        )
    if request.wish is Wish.promote:
        standing = len(one.plan.steps) - 1
    where = "before the first step" if standing < 0 else f"at step {standing + 1}"
    world.tell(f"goes on where the cluster is: {where}{', still paused' if one.paused else ''}")
    return _run(one, world, request, max(standing, one.first), prepare=standing < 0, resumed=True)


def _run(
    one: Canary,
    world: LiveWorld,
    request: Request,
    first: int,
    *,
    prepare: bool = False,
    resumed: bool = False,
    back: tuple[Outcome, str] | None = None,
) -> int:
    course = one.course(world, request.stack)
    with world.interrupts.caught(), world.view.open():
        outcome, said = _end(course, first, prepare=prepare, resumed=resumed, back=back, request=request)
    folder = report.write(world.record, request.report)
    weights = last(world.record.entries(), "applied").get("weights", one.before)
    world.tell(f"{outcome}: {said}; weights: {split_of(weights)}")
    if not outcome.is_over:
        world.tell(f"to go on: python -m operations canary --stack {request.stack} --resume; or --abort")
    world.tell(f"report: {folder}")
    return int(outcome.value)


def _end(
    course: Course,
    first: int,
    *,
    prepare: bool,
    resumed: bool,
    back: tuple[Outcome, str] | None,
    request: Request,
) -> tuple[Outcome, str]:
    if back:
        return course.back(*back)
    if prepare and (failed := course.prepare(resumed=resumed)):
        return failed
    if request.wish is Wish.promote:
        return course.promote()
    # One that prepares again has not made its first step yet.
    return course.run(first, resumed=resumed and not prepare)


def _service(services: tuple[MeshService, ...], name: str | None) -> MeshService:
    names = [each.name for each in services]
    if name is None and len(services) == 1:
        return services[0]
    if name not in names:
        raise OperationError(
            f"the stack has {len(services)} services: {', '.join(names)}"
            + (f"; there is no {name}" if name else "; which one is meant?"),
            mend=f"--service {names[0]}",
        )
    return services[names.index(name)]


def _ask(record: Record, wish: Wish, console: Console) -> int:
    """Hand a wish to the canary that runs, and wait until it has taken it."""
    record.ask(wish)
    deadline = time.monotonic() + TAKEN_SECONDS
    while record.wished:
        if time.monotonic() > deadline or not record.runs:
            record.take()
            raise OperationError(f"the canary did not hear {wish}", mend="see --status")
        time.sleep(0.1)
    console.print(f"{wish}: the canary has heard it")
    return 0
