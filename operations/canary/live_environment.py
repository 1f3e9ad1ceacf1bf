"""The real environment of a canary: the stack's project, its cluster, its Prometheus and the terminal."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal

import httpx

from components.model.handover import Handover
from operations.canary.analysis.checks import Check, Measured
from operations.canary.clock import ObservedClock
from operations.canary.deploy import hooks, manual_rollback
from operations.canary.deploy.deployment import Deployment
from operations.canary.deploy.hooks import Occasion
from operations.canary.journal.inbox import Answer, Command, PendingCommand
from operations.canary.journal.journal import Journal
from operations.canary.plan import Hook
from operations.canary.stack_file import edit
from operations.canary.stack_file.deployed_copy import DeployedCopy
from operations.canary.terminal.interrupts import Interrupts
from operations.canary.terminal.state import CanaryState
from operations.canary.terminal.view import View
from operations.canary.traffic import Traffic
from operations.drift.check import check
from operations.drift.findings import Finding, Problem, Report
from operations.errors import OperationError
from operations.kube import proxies
from operations.kube.cluster import Cluster
from operations.kube.pod_readiness import pods_of
from operations.metrics.errors import NoData
from operations.metrics.service_metrics import MetricsReader
from operations.pulumi_stack.project import Project
from operations.pulumi_stack.services import MeshService

ROUTES: Final = ("VirtualService", "DestinationRule", "Gateway", "HTTPRoute", "GRPCRoute")
"""The kinds that route requests."""
SECONDS: Final = 5.0
"""How long the API server may take to answer a health check."""


@dataclass(frozen=True, kw_only=True)
class LiveEnvironment:
    """The environment of one service of one stack."""

    project: Project
    stack: str
    service: MeshService
    deployment: Deployment
    cluster: Cluster
    handover: Handover
    metrics: MetricsReader
    record: Journal
    view: View
    interrupts: Interrupts
    clock: ObservedClock = field(default_factory=ObservedClock)
    taken: list[PendingCommand] = field(default_factory=list)
    """Commands without an answer yet."""

    @cached_property
    def stack_copy(self) -> DeployedCopy:
        """The copy for a rollback if the stack file cannot be used."""
        return DeployedCopy(
            project=self.project, stack=self.stack, service=self.service.name, folder=self.record.folder
        )

    def now(self) -> float:
        """Return the observed time in seconds."""
        return self.clock.now()

    def sleep(self, seconds: float) -> None:
        """Sleep."""
        time.sleep(seconds)

    def write(self, traffic: Traffic) -> None:
        """Write the traffic into the stack file."""
        edit.set_traffic(self.project, self.stack, self.service.name, traffic)
        self.stack_copy.write()

    def write_copy(self, traffic: Traffic) -> str:
        """Write the traffic into a copy of the stack file, and deploy that until the file can be written."""
        return self.stack_copy.use(traffic)

    def remove_versions(self, versions: set[str]) -> None:
        """Remove versions from the stack file, if the program accepts the rest."""
        edit.remove_versions(self.project, self.stack, self.service.name, versions)
        self.stack_copy.write()

    def up(self, message: str, *, refresh: bool, tick: Callable[[], None] | None = None) -> None:
        """`pulumi up`."""
        with self.stack_copy.file() as config:
            self.deployment.up(message, refresh=refresh, tick=tick, config=config)
        self.stack_copy.deploy()

    @contextmanager
    def synced(self) -> Iterator[None]:
        """Wait at the end of a block until every proxy has acknowledged the routes changed in it."""
        updated = False
        try:
            with proxies.synced(self.cluster.context, self.handover, self.report_line):
                yield
                updated = True
        except OperationError as error:
            if not updated:
                raise
            # The share of the step shows whether it matters.
            self.report_line(f"the step begins, although {error.what}")

    def manual_rollback(self, traffic: Traffic) -> Sequence[str]:
        """List commands that change the routes to this traffic without Pulumi."""
        self.stack_copy.use(traffic)
        draft = self.project.with_draft(self.stack, self.stack_copy.draft or "")
        return manual_rollback.commands(draft, self.stack, self.service, self.cluster.context)

    def ready(self, version: str) -> int | None:
        """Count the ready pods of a version; None if unknown."""
        pods = pods_of(self.cluster, self.service, version)
        return None if pods is None else pods.ready

    def answers(self) -> bool:
        """Return whether the cluster's API answers."""
        try:
            return self.cluster.get("/readyz", {}, seconds=SECONDS)[0] == httpx.codes.OK
        except OperationError:
            return False

    def drift(self) -> list[str]:
        """List manual changes of the routes, each with its field manager."""
        return changed_routes(check(self.project, self.stack))

    def measure(self, window: float) -> Mapping[str, Measured]:
        """Measure every version over the last seconds."""
        return self.metrics.measured(self.service, window=window).versions

    def value(self, check: Check, version: str, window: float) -> float | None:
        """Run a custom query."""
        try:
            return self.metrics.scalar(check.promql or "", self.service, version=version, window=window)
        except NoData:
            return None

    def run_hook(self, hook: Hook, occasion: Occasion, tick: Callable[[], None]) -> str | None:
        """Run a hook in the project's folder."""
        return hooks.run(hook, occasion, self.project.folder, tick)

    def command(self) -> Command | None:
        """Take the next command of another terminal."""
        command = self.record.inbox.take()
        if command is None:
            return None
        self.taken.append(command)
        return command.command

    def reply(self, text: str, *, accepted: bool = True) -> None:
        """Answer the command that was taken last."""
        while self.taken:
            self.record.inbox.answer(self.taken.pop(), Answer(accepted=accepted, text=text))

    def interrupted(self) -> Literal["hold", "back"] | None:
        """Ask the user after Ctrl-C; "back" if the process has to end."""
        return self.interrupts.answer(self.view)

    def note(self, event: str, **words: object) -> bool:
        """Write an entry to the journal."""
        self.record.note(event, **words)
        return True

    def report_line(self, line: str) -> None:
        """Print a line."""
        self.view.report_line(line)

    def show(self, state: CanaryState) -> None:
        """Show the state."""
        self.view.show(state)


def changed_routes(report: Report) -> list[str]:
    """List manual changes of the routes, each with its field manager.

    Changes of the stack file do not hinder an update. Neither do fields with the declared value whose manager
    is another one, since the stack's routes have `pulumi.com/patchForce`.
    """
    return [
        _line(each) for each in report.of(*ROUTES) if not each.pending and each.problem is not Problem.TAKEN
    ]


def _line(finding: Finding) -> str:
    who = f", by {finding.writer}" if finding.writer else ""
    return f"{finding.ref} {finding.path or finding.why or ''} is {finding.problem}{who}"
