"""`python -m operations recover`, step by step."""

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from pulumi import automation as auto

from operations.adoption.takeover import ENVIRONMENT
from operations.drift.state import State, is_object
from operations.errors import OperationError
from operations.kube.applied_names import under_applied_names
from operations.kube.cluster import Cluster, named, same_object, spelled
from operations.kube.manifests import Manifest, manifests
from operations.pulumi_stack import locks
from operations.pulumi_stack.cluster_pin import meant_cluster
from operations.pulumi_stack.lock_holders import lock_holders
from operations.pulumi_stack.program import declare
from operations.pulumi_stack.program_run import NO_VARIABLES
from operations.pulumi_stack.project import Project
from operations.pulumi_stack.recorder import Resource
from operations.pulumi_stack.stack import PulumiStack, ReportLine
from operations.pulumi_stack.stack_identity import LABEL, identity_of, owner_of
from operations.recovery import orphan_processes
from operations.recovery.backend import FileBackend
from operations.recovery.field_managers import former_names, nothing_of
from operations.recovery.findings import Findings
from operations.recovery.orphan_resources import marked, orphan_resources
from operations.recovery.pending import pending_operations

LEAST_FREE: Final = 8 << 20
"""Bytes of free disk: Pulumi writes the state anew for each step, and keeps the one before."""

ROUTES_FIRST: Final = ("VirtualService", "HTTPRoute", "DestinationRule")
"""Leftovers go as a version does: routes, subsets, the rest."""

SETTLE_SECONDS: Final = 300.0
"""How long to wait for an update to end."""
SETTLE_POLL_SECONDS: Final = 2.0

UNSOUND: Final = "snapshot integrity failure"
"""What Pulumi says of a state that it can read and that contradicts itself."""


def recover(
    project: Project, stack: str, *, report_line: ReportLine, agreed: Callable[[], bool] | None
) -> None:
    """Bring stack and cluster to what the stack file says, whatever interrupted the last update.

    Args:
        project: with the stack file.
        stack: its name.
        report_line: is told what is found, and each step.
        agreed: asks, once everything is shown, whether to go on; None to go on without a question.

    Raises:
        OperationError: an update runs, the cluster is away or another one, something changed while the
            question was open, or a step failed. The same command goes on from there.
    """
    resources = declare(project, stack)
    cluster = meant_cluster(resources)
    recovery = _Recovery(project, stack, cluster, report_line)
    found = recovery.sample(resources)
    shown = [*found.lines(), *recovery.ahead(found)]
    for line in shown:
        report_line(line)
    if agreed:
        if not agreed():
            report_line("nothing was changed; to do it: the same command with --yes")
            return
        found = recovery.sample(declare(project, stack))
        if [*found.lines(), *recovery.ahead(found)] != shown:
            raise OperationError(
                f"stack {stack} changed while the question was open; nothing was changed",
                fix="the same command again, which shows what is to be done now",
            )
    recovery.fix(found)
    recovery.converge(found, manifests(resources))
    report_line(f"stack {stack} and the cluster of context {cluster.context} are as Pulumi.{stack}.yaml says")


def settle(project: Project, stack: str, report_line: ReportLine) -> None:
    """Put the state of a stack in order, once no update runs any more; the cluster stays as it is.

    Raises:
        OperationError: an update runs and does not end, or the cluster is away.
    """
    ends = time.monotonic() + SETTLE_SECONDS
    while True:
        try:
            recovery = _Recovery(project, stack, meant_cluster(declare(project, stack)), report_line)
            found = recovery.sample()
            recovery.fix(found)
            return recovery.close(found)
        except locks.StackLocked:
            if time.monotonic() > ends:
                raise
            report_line(f"an update of stack {stack} runs; waiting for its end")
            time.sleep(SETTLE_POLL_SECONDS)


class _Recovery:
    def __init__(self, project: Project, stack: str, cluster: Cluster, report_line: ReportLine) -> None:
        self._project, self._stack, self._cluster, self._tell = project, stack, cluster, report_line
        self._workspace = auto.LocalWorkspace(work_dir=str(project.folder))
        self._backend = FileBackend.of(self._workspace.who_am_i().url, project.name, stack)

    def sample(self, resources: Sequence[Resource] = ()) -> Findings:
        """Find what was left behind, and change nothing.

        Args:
            resources: what is declared, where it is of interest what is not.
        """
        backup = self._backend.replacement() if self._backend else None
        state = backup.deployment() if backup else self._export()
        # Of a stack that does not exist there is no lock, and asking a bucket for one would make it.
        holders = lock_holders(self._workspace, self._project.name, self._stack)
        if not all(each.ended for each in holders):
            raise locks.locked(self._stack, holders)
        self._has_room()
        # The cluster's answer comes first: without it nothing can be brought in order.
        self._cluster.every("v1", "Namespace")
        pending = pending_operations(state, self._cluster.read)
        known = {each["urn"]: each for each in state.get("resources") or () if is_object(each)}
        declared = {each.urn for each in resources}
        wanted = under_applied_names(resources, {urn: each["inputs"] for urn, each in known.items()})
        return Findings(
            holders=holders,
            processes=orphan_processes.orphans(self._project.folder),
            backup=backup,
            pending=pending,
            retired=[urn for urn in known if urn not in declared] if resources else (),
            orphan_resources=orphan_resources(
                manifests(wanted),
                [each["inputs"] for each in known.values()],
                [each.resource["inputs"] for each in pending if is_object(each.resource)],
                self._cluster,
            )
            if resources
            else (),
        )

    def ahead(self, found: Findings) -> list[str]:
        """Say what `pulumi up` will then change, where that is known before the state is in order."""
        if found.backup or found.pending:
            return ["then pulumi refresh and pulumi up bring the rest to what the stack file says"]
        try:
            changes = self._updates().preview()
        except OperationError as error:
            if UNSOUND not in error.evidence:
                raise
            return ["the state contradicts itself: pulumi state repair puts it right, then pulumi up"]
        # What is deleted has been listed.
        listed = [each for each in changes if each.op is not auto.OpType.DELETE]
        return [f"pulumi up will {each}" for each in listed] or ["pulumi up has nothing else to change"]

    def fix(self, found: Findings) -> None:
        """Take away what keeps Pulumi from working on the stack."""
        orphan_processes.end(found.processes)
        if found.backup and self._backend:
            kept = self._backend.restore(found.backup)
            self._tell(f"restored the state; the one that cannot be read is kept as {kept}")
        updates = self._updates()
        if found.holders:
            updates.run("cancel", updates.stack.cancel)
            self._tell("took the lock away")
        self._repair()

    def close(self, found: Findings) -> None:
        """Let Pulumi forget what was open, if there is anything. The next update does it again."""
        if not found.pending:
            return
        try:
            self._updates().refresh(run_program=True, forget_pending=True)
        except OperationError as error:
            # Nobody waits for it: an update works beside open operations as well.
            self._tell(f"{len(found.pending)} operations stay open in the state: {error.what}")
        else:
            self._tell(f"closed what was open in the state: {len(found.pending)}")

    def converge(self, found: Findings, declared: Sequence[Manifest]) -> None:
        """Bring everything to what is declared, and let nothing stay that is not."""
        made = [each.made for each in found.pending if each.made]
        for each in made:
            self._mark(each, identity_of(declared))
        self._tell("pulumi refresh")
        self._updates().refresh(run_program=True, forget_pending=True)
        self._tell("pulumi up")
        # What a provider applied that was killed is in a name that no state knows: it would be a conflict.
        self._updates(ENVIRONMENT if made else NO_VARIABLES).up()
        self._release(declared)
        self._delete(found.orphan_resources, declared)

    def _mark(self, made: Manifest, identity: str) -> None:
        """Give an object its stack's identity, where an older version of the program made it without."""
        if owner_of(made) is None:
            self._cluster.patch(made, {"metadata": {"labels": {LABEL: identity}}})

    def _delete(self, shown: Sequence[Manifest], declared: Sequence[Manifest]) -> None:
        """Delete the leftovers that were shown, and tell of those that came meanwhile."""
        kept = [each.inputs for each in State.of(self._project, self._stack).objects.values()]
        for each in sorted(orphan_resources(declared, kept, shown, self._cluster), key=_rank):
            if any(same_object(each, one) for one in shown):
                self._tell(f"delete {named(each)}, which this stack made and nobody knows any more")
                self._cluster.delete(each)
            else:
                self._tell(f"{named(each)} is left, which came meanwhile: the same command again shows it")

    def _release(self, declared: Sequence[Manifest]) -> None:
        """Drop the claims of providers that died, to what they had made before its state knew of it."""
        kept = list(State.of(self._project, self._stack).objects.values())
        for live in marked(declared, identity_of(declared), self._cluster):
            own = next((each.manager for each in kept if same_object(each.inputs, live)), None)
            for name in former_names(live, own) if own else ():
                self._tell(f"let go of {spelled(live)} as {name}, which applied it and is gone")
                self._cluster.apply(nothing_of(live), name)

    def _updates(self, variables: Mapping[str, str] = NO_VARIABLES) -> PulumiStack:
        return PulumiStack(
            self._project.folder,
            self._stack,
            lambda line: self._tell(f"  {line}"),
            variables=variables,
        )

    def _export(self) -> dict[str, Any]:
        return dict(self._export_whole().deployment or {})

    def _export_whole(self) -> auto.Deployment:
        try:
            return self._workspace.export_stack(self._stack)
        except auto.CommandError as error:
            raise OperationError(
                f"Pulumi cannot tell the state of stack {self._stack}",
                evidence=str(error).strip(),
                fix="pulumi stack ls shows the stacks of this backend. Where it keeps versions, take one: "
                f"pulumi stack export --version N --stack {self._stack} | pulumi stack import --stack "
                f"{self._stack}",
            ) from error

    def _repair(self) -> None:
        """Let Pulumi put right what contradicts itself; a sound state stays as it is."""
        words = ["state", "repair", "--yes", "--stack", self._stack, "--non-interactive"]
        folder = self._workspace.work_dir
        self._workspace.pulumi_command.run(words, cwd=folder, additional_env=dict(self._workspace.env_vars))

    def _has_room(self) -> None:
        if self._backend is None:
            return
        root = self._backend.root
        if (free := shutil.disk_usage(root).free) < LEAST_FREE:
            raise OperationError(
                f"the disk of Pulumi's state is full: {free >> 10} KiB are free at {root}, and it takes "
                f"{LEAST_FREE >> 10}; nothing was changed",
                fix=f"make room: df -h {root}, then the same command again",
            )


def _rank(manifest: Manifest) -> int:
    kind = manifest["kind"]
    return ROUTES_FIRST.index(kind) if kind in ROUTES_FIRST else len(ROUTES_FIRST)
