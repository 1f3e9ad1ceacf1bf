"""`python -m operations canary`."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from components.model.handover import Handover
from operations.canary.deploy.deployment import Deployment
from operations.canary.journal import report
from operations.canary.journal.inbox import Answer, Command, Inbox
from operations.canary.journal.journal import Journal, last
from operations.canary.journal.run import Canary, is_rolling_back
from operations.canary.journal.status import show_status
from operations.canary.live_environment import LiveEnvironment
from operations.canary.outcome import Outcome
from operations.canary.preflight import begin, can_judge, unfinished
from operations.canary.rollout import CanaryRollout
from operations.canary.stack_file.deployed_copy import stored
from operations.canary.summary import show_fixed, show_pending, show_plan
from operations.canary.terminal.interrupts import Interrupts
from operations.canary.terminal.text import split_of
from operations.canary.terminal.view import View
from operations.errors import OperationError
from operations.metrics.service_metrics import MetricsReader
from operations.pulumi_stack.cluster_pin import meant_cluster
from operations.pulumi_stack.locks import StackLocked
from operations.pulumi_stack.program import Declared, learn
from operations.pulumi_stack.project import Project
from operations.pulumi_stack.services import MeshService, services_of
from operations.recovery.command import settle

ANSWER_SECONDS = 600.0
"""How long a canary may take to answer a command: an update may wait 300 s for a lock first."""
ANSWER_POLL_SECONDS = 0.1


@dataclass(frozen=True, kw_only=True)
class Request:
    """The options of the command."""

    stack: str
    to: str | None = None
    service: str | None = None
    preview: bool = False
    command: Command | None = None
    status: bool = False
    yes: bool = False
    report: Path | None = None


def canary(project: Project, request: Request, console: Console) -> int:
    """Run the command; returns the exit code.

    Raises:
        OperationError: it cannot be done, and nothing was changed.
    """
    view = View(console)
    deployment = Deployment(project.folder, request.stack, view.report_line)
    record = Journal.of(deployment.backend, project.name, request.stack)
    if request.status:
        show_status(record, console)
        return 0
    if request.command and record.runs:
        return _ask(record, request.command, request.stack, console)
    if request.command is Command.pause:
        raise OperationError(
            f"no canary of stack {request.stack} runs",
            fix=f"python -m operations canary --stack {request.stack} --status",
        )
    with ExitStack() as stack:
        if not request.preview:
            stack.enter_context(record.locked())
        return _alone(project, request, deployment, record, view)


def _alone(project: Project, request: Request, deployment: Deployment, record: Journal, view: View) -> int:
    """Begin or resume the only canary of the stack."""
    console = view.console
    one = None
    if request.command:
        project, resources, one = _unfinished(project, request, record, view)
    else:
        resources = learn(project, request.stack)
    service = one.service if one else _service(services_of(resources), request.service)
    environment = LiveEnvironment(
        project=project,
        stack=request.stack,
        service=service,
        deployment=deployment,
        cluster=meant_cluster(resources.resources),
        handover=project.setting(request.stack, "handover", Handover),
        metrics=MetricsReader.of(project, request.stack, meant_cluster(resources.resources)),
        record=record,
        view=view,
        interrupts=Interrupts(),
    )
    if one:
        return _resume(one, environment, request)
    new, first = begin(
        project, request.stack, request.to, service=service, deployment=deployment, record=record
    )
    console.print(f"canary of {service.name} to {new.to} on stack {request.stack}, beside {new.old}")
    if not new.declared:
        console.print(f"{project.stack_file(request.stack).name} has no key canary: the default plan is used")
    with ThreadPoolExecutor(1) as beside:
        previewed = beside.submit(deployment.changes)
        stages = new.stages(project, request.stack)
    show_pending(pending := previewed.result(), console)
    show_plan(new.plan, stages, first, console)
    show_fixed(new.fixed, console)
    if not new.divided:
        console.print("routes, mirror or cookie divide traffic too: the share is shown, and not judged")
    if request.preview:
        return 0
    can_judge(environment, new)
    asks = console.is_terminal and not request.yes
    if asks and console.input("begin? (y/n) ").strip().lower() != "y":
        return 0
    new.note(record, first)
    environment.stack_copy.begin()
    return _run(new, environment, request, first, prepare=bool(pending))


def _unfinished(
    project: Project, request: Request, record: Journal, view: View
) -> tuple[Project, Declared, Canary]:
    """Read the canary to resume, after the stack's state is repaired.

    A rollback uses the canary's own copy if the stack file cannot be read.
    """
    entries = unfinished(record, request.stack)
    if record.unreadable:
        view.report_line(f"{record.unreadable} lines of the journal cannot be read and are ignored")
    aborted = request.command is Command.abort

    def read(project: Project) -> tuple[Project, Declared, Canary]:
        settle(project, request.stack, view.report_line)
        declared = learn(project, request.stack)
        return project, declared, Canary.of(entries, services_of(declared), aborted=aborted)

    try:
        return read(project)
    except OperationError as error:
        copy = stored(record.folder)
        backwards = aborted or is_rolling_back(entries)
        if isinstance(error, StackLocked) or copy is None or not backwards:
            raise
        view.report_line(f"{error.what}; rolling back with the canary's copy of the stack file")
        return read(project.with_draft(request.stack, copy))


def _resume(one: Canary, environment: LiveEnvironment, request: Request) -> int:
    """Resume a canary that was killed or stopped, at the step of the live routes."""
    environment.stack_copy.resume()
    if request.command is Command.abort:
        return _run(one, environment, request, 0, roll_back=(Outcome.aborted, "aborted manually"))
    if request.command is Command.resume and one.rolling_back:
        return _run(one, environment, request, 0, roll_back=one.rolling_back)
    stages = one.stages(environment.project, request.stack)
    deployed = stages.deployed_step(environment.cluster) if one.stepped else -1
    if deployed is None:
        raise OperationError(
            "the live routes belong to no step of the plan: they have manual changes; nothing was changed",
            fix=f"python -m operations drift --stack {request.stack} lists them; "
            f"to roll back: python -m operations canary --stack {request.stack} --abort",
        )
    if request.command is Command.promote:
        deployed = len(one.plan.steps) - 1
    where = "before the first step" if deployed < 0 else f"at step {deployed + 1}"
    environment.report_line(f"resuming where the cluster is: {where}{', still paused' if one.paused else ''}")
    return _run(one, environment, request, max(deployed, one.first), prepare=deployed < 0, resumed=True)


def _run(
    one: Canary,
    environment: LiveEnvironment,
    request: Request,
    first: int,
    *,
    prepare: bool = False,
    resumed: bool = False,
    roll_back: tuple[Outcome, str] | None = None,
) -> int:
    rollout = one.rollout(environment, request.stack)
    with environment.view.open(), environment.interrupts.caught():
        outcome, why = _end(
            rollout, first, prepare=prepare, resumed=resumed, roll_back=roll_back, request=request
        )
    weights = last(environment.record.entries(), "applied").get("weights", one.before)
    environment.report_line(f"{outcome}: {why}; weights: {split_of(weights)}")
    if not outcome.is_over:
        environment.report_line(
            f"to continue: python -m operations canary --stack {request.stack} --resume; or --abort"
        )
    try:
        environment.report_line(f"report: {report.write(environment.record, request.report)}")
    except Exception as error:  # noqa: BLE001 (the outcome does not depend on the report)
        environment.report_line(f"no report: {error}")
    return int(outcome.value)


def _end(
    rollout: CanaryRollout,
    first: int,
    *,
    prepare: bool,
    resumed: bool,
    roll_back: tuple[Outcome, str] | None,
    request: Request,
) -> tuple[Outcome, str]:
    if roll_back:
        return rollout.roll_back(*roll_back)
    if prepare and (failed := rollout.prepare(resumed=resumed)):
        return failed
    if request.command is Command.promote:
        return rollout.promote()
    # A canary that prepares again has not begun its first step.
    return rollout.run(first, resumed=resumed and not prepare)


def _service(services: tuple[MeshService, ...], name: str | None) -> MeshService:
    names = [each.name for each in services]
    if name is None and len(services) == 1:
        return services[0]
    if name not in names:
        raise OperationError(
            f"the stack has {len(services)} services: {', '.join(names)}"
            + (f"; there is no {name}" if name else "; name one of them"),
            fix=f"--service {names[0]}",
        )
    return services[names.index(name)]


def _ask(record: Journal, command: Command, stack: str, console: Console) -> int:
    """Send a command to the running canary, and wait for its answer.

    Raises:
        OperationError: the command was refused or not answered.
    """
    inbox = record.inbox
    try:
        identity = inbox.send(command)
    except OSError as error:
        raise OperationError(
            f"--{command} cannot be sent: {error}",
            fix="to roll back: `kill` the process of the canary",
        ) from error
    try:
        answer = _answer(record, inbox, identity)
    finally:
        # Without a sender that waits, the command must not take effect later.
        withdrawn = inbox.withdraw(identity)
    if answer is None:
        state = "runs and has not answered: an update may take long" if record.runs else "has ended"
        raise OperationError(
            f"--{command} was {'withdrawn' if withdrawn else 'not answered'}: the canary {state}",
            fix=f"python -m operations canary --stack {stack} --status",
        )
    if not answer.accepted:
        raise OperationError(
            f"--{command} was refused: {answer.text}",
            fix=f"python -m operations canary --stack {stack} --status",
        )
    console.print(f"{command} accepted: {answer.text}")
    return 0


def _answer(record: Journal, inbox: Inbox, identity: str) -> Answer | None:
    deadline = time.monotonic() + ANSWER_SECONDS
    while time.monotonic() < deadline:
        runs = record.runs
        if answer := inbox.answer_to(identity):
            return answer
        if not runs:
            return None
        time.sleep(ANSWER_POLL_SECONDS)
    return None
