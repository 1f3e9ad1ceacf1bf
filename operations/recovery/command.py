"""`python -m operations recover`, step by step."""

import shutil
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from pulumi import automation as auto

from operations import locks
from operations.cluster import Cluster, spelled
from operations.declared import declare
from operations.drift.state import State
from operations.errors import OperationError
from operations.manifests import Manifest, manifests
from operations.pin import meant_cluster
from operations.project import Project
from operations.recovery import orphans
from operations.recovery.backend import FileBackend
from operations.recovery.findings import Findings
from operations.recovery.leftovers import leftovers
from operations.recovery.names import former_names, nothing_of
from operations.recovery.pending import closed, pending_operations
from operations.updates import Tell, Updates

LEAST_FREE: Final = 8 << 20
"""Bytes of free disk: Pulumi writes the state anew for each step, and keeps the one before."""

ROUTES_FIRST: Final = ("VirtualService", "HTTPRoute", "DestinationRule")
"""Leftovers go as a version does: routes, subsets, the rest."""

SETTLE_SECONDS: Final = 300.0
"""How long to wait for an update to end."""
SETTLE_POLL_SECONDS: Final = 2.0

UNSOUND: Final = "snapshot integrity failure"
"""What Pulumi says of a state that it can read and that contradicts itself."""


def recover(project: Project, stack: str, *, tell: Tell, agreed: Callable[[], bool]) -> None:
    """Bring stack and cluster to what the stack file says, whatever interrupted the last update.

    Args:
        project: with the stack file.
        stack: its name.
        tell: is told what is found, and each step.
        agreed: says, once everything is shown, whether to go on.

    Raises:
        OperationError: an update runs, the cluster is away or another one, or a step failed. The same
            command goes on from there.
    """
    resources = declare(project, stack)
    cluster = meant_cluster(resources)
    recovery = _Recovery(project, stack, cluster, tell)
    found = recovery.look()
    for line in [*found.lines(), *recovery.ahead(found)]:
        tell(line)
    if not agreed():
        tell("nothing was changed; to do it: the same command with --yes")
        return
    recovery.mend(found)
    recovery.converge(manifests(resources))
    tell(f"stack {stack} and the cluster of context {cluster.context} are as Pulumi.{stack}.yaml says")


def settle(project: Project, stack: str, tell: Tell) -> None:
    """Put the state of a stack in order, once no update runs any more; the cluster stays as it is.

    Raises:
        OperationError: an update runs and does not end, or the cluster is away.
    """
    ends = time.monotonic() + SETTLE_SECONDS
    while True:
        try:
            recovery = _Recovery(project, stack, meant_cluster(declare(project, stack)), tell)
            return recovery.mend(recovery.look())
        except locks.LockedError:
            if time.monotonic() > ends:
                raise
            tell(f"an update of stack {stack} runs; waiting for its end")
            time.sleep(SETTLE_POLL_SECONDS)


class _Recovery:
    def __init__(self, project: Project, stack: str, cluster: Cluster, tell: Tell) -> None:
        self._project, self._stack, self._cluster, self._tell = project, stack, cluster, tell
        self._workspace = auto.LocalWorkspace(work_dir=str(project.folder))
        self._backend = FileBackend.of(self._workspace.who_am_i().url, project.name, stack)

    def look(self) -> Findings:
        """Find what was left behind, and change nothing."""
        holders = self._backend.holders() if self._backend else self._asked_holders()
        if not all(each.ended for each in holders):
            raise locks.locked(self._stack, holders)
        self._has_room()
        # The cluster's answer comes first: without it nothing can be brought in order.
        self._cluster.every("v1", "Namespace")
        processes = orphans.orphans(self._project.folder)
        backup = self._backend.replacement() if self._backend else None
        pending = () if backup else pending_operations(self._export(), self._cluster.read)
        return Findings(holders=holders, processes=processes, backup=backup, pending=pending)

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
        return [f"pulumi up will {each}" for each in changes] or ["pulumi up has nothing to change"]

    def mend(self, found: Findings) -> None:
        """Put the state in order."""
        orphans.end(found.processes)
        if found.backup and self._backend:
            kept = self._backend.restore(found.backup)
            self._tell(f"restored the state; the one that cannot be read is kept as {kept}")
        updates = self._updates()
        if found.holders:
            updates.run("cancel", updates.stack.cancel)
            self._tell("took the lock away")
        self._repair()
        if pending := pending_operations(self._export(), self._cluster.read):
            updates.run("stack import", lambda: self._close(updates.stack))
            self._tell(f"closed what was open in the state: {len(pending)}")

    def converge(self, declared: Sequence[Manifest]) -> None:
        """Bring everything to what is declared, and let nothing stay that is not."""
        known = {each["urn"] for each in self._export().get("resources") or ()}
        updates = self._updates()
        self._tell("pulumi refresh")
        updates.refresh(run_program=True)
        self._tell("pulumi up")
        updates.up()
        self._let_go(known)
        for each in sorted(leftovers(declared, self._cluster), key=_rank):
            self._tell(f"delete {spelled(each)}, which the stack made and nobody knows any more")
            self._cluster.delete(each)

    def _let_go(self, known: set[str]) -> None:
        """Drop the claims of providers that died, to what they had made and only now is in the state.

        Of what the state knew before, another name's claim may be another stack's: drift tells that.
        """
        for urn, kept in State.of(self._project, self._stack).objects.items():
            live = self._cluster.read(kept.inputs) if kept.manager and urn not in known else None
            for name in former_names(live, kept.manager or "") if live else ():
                self._tell(f"let go of {spelled(kept.inputs)} as {name}, which applied it and is gone")
                self._cluster.apply(nothing_of(kept.inputs), name)

    def _updates(self) -> Updates:
        return Updates(self._project.folder, self._stack, lambda line: self._tell(f"  {line}"))

    def _asked_holders(self) -> list[locks.Holder]:
        """Elsewhere than in files a lock is seen by wanting it: this writes the state as it is."""
        state = self._export_whole()
        try:
            self._workspace.import_stack(self._stack, state)
        except auto.ConcurrentUpdateError as error:
            if found := locks.holders(error):
                return found
            raise locks.locked(self._stack, ()) from error
        return []

    def _export(self) -> dict[str, Any]:
        return dict(self._export_whole().deployment or {})

    def _export_whole(self) -> auto.Deployment:
        try:
            return self._workspace.export_stack(self._stack)
        except auto.CommandError as error:
            raise OperationError(
                f"Pulumi cannot tell the state of stack {self._stack}",
                evidence=str(error).strip(),
                mend="pulumi stack ls shows the stacks of this backend. Where it keeps versions, take one: "
                f"pulumi stack export --version N --stack {self._stack} | pulumi stack import --stack "
                f"{self._stack}",
            ) from error

    def _close(self, stack: auto.Stack) -> None:
        exported = stack.export_stack()
        state = dict(exported.deployment or {})
        mended = closed(state, pending_operations(state, self._cluster.read))
        stack.import_stack(auto.Deployment(version=exported.version, deployment=mended))

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
                mend=f"make room: df -h {root}, then the same command again",
            )


def _rank(manifest: Manifest) -> int:
    kind = manifest["kind"]
    return ROUTES_FIRST.index(kind) if kind in ROUTES_FIRST else len(ROUTES_FIRST)
