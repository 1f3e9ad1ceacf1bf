"""`python -m operations recover`, step by step."""

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from pulumi import automation as auto

from components.model.stack_identity import LABEL, owner_of
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
from operations.pulumi_stack.stack_identity import identity_of
from operations.recovery import orphan_processes
from operations.recovery.backend import FileBackend
from operations.recovery.field_managers import former_names, nothing_of
from operations.recovery.findings import Findings
from operations.recovery.orphan_resources import marked, orphan_resources
from operations.recovery.pending import pending_operations

LEAST_FREE: Final = 8 << 20
"""Bytes of free disk: Pulumi writes a new state for each step beside the previous one."""

ROUTES_FIRST: Final = ("VirtualService", "HTTPRoute", "DestinationRule")
"""Order of deletion, as for a version: routes, subsets, the rest."""

SETTLE_SECONDS: Final = 300.0
"""How long to wait for an update to end."""
SETTLE_POLL_SECONDS: Final = 2.0

INCONSISTENT: Final = "snapshot integrity failure"
"""Pulumi's message for a state that is readable and inconsistent."""


def recover(
    project: Project, stack: str, *, report_line: ReportLine, agreed: Callable[[], bool] | None
) -> None:
    """Repair a stack after an interrupted update, and deploy its stack file.

    Args:
        project: the project with the stack file.
        stack: the stack's name.
        report_line: prints the findings and each step.
        agreed: asks for confirmation after the findings; None to continue without.

    Raises:
        OperationError: an update is running, the cluster does not answer or is another one, the stack
            changed before the confirmation, or a step failed. The same command then resumes.
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
            report_line("nothing was changed; to apply this: the same command with --yes")
            return
        found = recovery.sample(declare(project, stack))
        if [*found.lines(), *recovery.ahead(found)] != shown:
            raise OperationError(
                f"stack {stack} changed before the confirmation; nothing was done",
                fix="run the command again, which shows the current findings",
            )
    recovery.fix(found)
    recovery.converge(found, manifests(resources))
    report_line(f"stack {stack} and the cluster of context {cluster.context} match Pulumi.{stack}.yaml")


def settle(project: Project, stack: str, report_line: ReportLine) -> None:
    """Repair the state of a stack when no update is running; the cluster does not change.

    Raises:
        OperationError: an update is running and does not end, or the cluster does not answer.
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
            report_line(f"an update of stack {stack} is running; waiting for its end")
            time.sleep(SETTLE_POLL_SECONDS)


class _Recovery:
    def __init__(self, project: Project, stack: str, cluster: Cluster, report_line: ReportLine) -> None:
        self._project, self._stack, self._cluster, self._report_line = project, stack, cluster, report_line
        self._workspace = auto.LocalWorkspace(work_dir=str(project.folder))
        self._backend = FileBackend.of(self._workspace.who_am_i().url, project.name, stack)

    def sample(self, resources: Sequence[Resource] = ()) -> Findings:
        """Find what an interrupted update left, without changing anything.

        Args:
            resources: the declared ones, to find objects that are not declared.
        """
        backup = self._backend.replacement() if self._backend else None
        state = backup.deployment() if backup else self._export()
        # After the export, so the stack exists: asking a bucket for the lock would create it.
        holders = lock_holders(self._workspace, self._project.name, self._stack)
        if not all(each.ended for each in holders):
            raise locks.locked(self._stack, holders)
        self._has_room()
        # Fail early if the cluster does not answer: it is needed for every repair.
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
        """List what `pulumi up` will change, as far as it is known before the repair."""
        if found.backup or found.pending:
            return ["then pulumi refresh and pulumi up deploy the rest of the stack file"]
        try:
            changes = self._updates().preview()
        except OperationError as error:
            if INCONSISTENT not in error.evidence:
                raise
            return ["the state is inconsistent: pulumi state repair, then pulumi up"]
        # Deletions are among the findings.
        listed = [each for each in changes if each.op is not auto.OpType.DELETE]
        return [f"pulumi up will {each}" for each in listed] or ["pulumi up has nothing else to change"]

    def fix(self, found: Findings) -> None:
        """Remove what prevents Pulumi from updating the stack."""
        orphan_processes.end(found.processes)
        if found.backup and self._backend:
            broken = self._backend.restore(found.backup)
            self._report_line(f"restored the state; the unreadable one is stored as {broken}")
        updates = self._updates()
        if found.holders:
            updates.run("cancel", updates.stack.cancel)
            self._report_line("released the lock")
        self._repair()

    def close(self, found: Findings) -> None:
        """Drop pending operations from the state. The next update repeats them."""
        if not found.pending:
            return
        try:
            self._updates().refresh(run_program=True, forget_pending=True)
        except OperationError as error:
            # Not an error: an update works with pending operations too.
            self._report_line(f"{len(found.pending)} operations remain pending in the state: {error.what}")
        else:
            self._report_line(f"dropped pending operations from the state: {len(found.pending)}")

    def converge(self, found: Findings, declared: Sequence[Manifest]) -> None:
        """Deploy what is declared, and delete what is not."""
        made = [each.made for each in found.pending if each.made]
        for each in made:
            self._mark(each, identity_of(declared))
        self._report_line("pulumi refresh")
        self._updates().refresh(run_program=True, forget_pending=True)
        self._report_line("pulumi up")
        # A killed provider applied it with a field manager that no state contains: it would be a conflict.
        self._updates(ENVIRONMENT if made else NO_VARIABLES).up()
        self._release(declared)
        self._delete(found.orphan_resources, declared)

    def _mark(self, made: Manifest, identity: str) -> None:
        """Label an object with the stack's identity, if an older version of the program did not."""
        if owner_of(made) is None:
            self._cluster.patch(made, {"metadata": {"labels": {LABEL: identity}}})

    def _delete(self, shown: Sequence[Manifest], declared: Sequence[Manifest]) -> None:
        """Delete the orphaned objects that were shown, and report new ones."""
        stored = [each.inputs for each in State.of(self._project, self._stack).objects.values()]
        for each in sorted(orphan_resources(declared, stored, shown, self._cluster), key=_rank):
            if any(same_object(each, one) for one in shown):
                self._report_line(f"delete {named(each)}, which neither the stack file nor the state has")
                self._cluster.delete(each)
            else:
                self._report_line(f"{named(each)} is new and remains: run the command again")

    def _release(self, declared: Sequence[Manifest]) -> None:
        """Release fields that a killed provider applied before it could report its name to the state."""
        stored = list(State.of(self._project, self._stack).objects.values())
        for live in marked(declared, identity_of(declared), self._cluster):
            own = next((each.manager for each in stored if same_object(each.inputs, live)), None)
            for name in former_names(live, own) if own else ():
                self._report_line(f"release {spelled(live)} from {name}, a provider that was killed")
                self._cluster.apply(nothing_of(live), name)

    def _updates(self, variables: Mapping[str, str] = NO_VARIABLES) -> PulumiStack:
        return PulumiStack(
            self._project.folder,
            self._stack,
            lambda line: self._report_line(f"  {line}"),
            variables=variables,
        )

    def _export(self) -> dict[str, Any]:
        return dict(self._export_whole().deployment or {})

    def _export_whole(self) -> auto.Deployment:
        try:
            return self._workspace.export_stack(self._stack)
        except auto.CommandError as error:
            raise OperationError(
                f"Pulumi cannot read the state of stack {self._stack}",
                evidence=str(error).strip(),
                fix="list the stacks of this backend: pulumi stack ls. If it stores versions, restore one: "
                f"pulumi stack export --version N --stack {self._stack} | pulumi stack import --stack "
                f"{self._stack}",
            ) from error

    def _repair(self) -> None:
        """Let Pulumi repair an inconsistent state; a consistent one does not change."""
        words = ["state", "repair", "--yes", "--stack", self._stack, "--non-interactive"]
        folder = self._workspace.work_dir
        self._workspace.pulumi_command.run(words, cwd=folder, additional_env=dict(self._workspace.env_vars))

    def _has_room(self) -> None:
        if self._backend is None:
            return
        root = self._backend.root
        if (free := shutil.disk_usage(root).free) < LEAST_FREE:
            raise OperationError(
                f"the disk of Pulumi's state is full: {free >> 10} KiB are free at {root}, and "
                f"{LEAST_FREE >> 10} are needed; nothing was changed",
                fix=f"free some space, see df -h {root}; then run the command again",
            )


def _rank(manifest: Manifest) -> int:
    kind = manifest["kind"]
    return ROUTES_FIRST.index(kind) if kind in ROUTES_FIRST else len(ROUTES_FIRST)
