"""One check of a stack: what it declares, what Pulumi keeps and what is live, held against each other."""

import datetime as dt
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Self

from operations.drift.findings import Finding, Problem, Report
from operations.drift.foreign.objects import WATCHED
from operations.drift.foreign.reach import Reach
from operations.drift.objects import object_findings, ref, whole
from operations.drift.platform_metadata import PlatformMetadata
from operations.drift.pod_diff import pod_findings
from operations.drift.snapshot import Snapshot
from operations.drift.state import State, StoredState
from operations.kube.applied_names import under_applied_names
from operations.kube.cluster import Cluster, in_kind, same_object
from operations.kube.manifests import Manifest, in_order, is_applied
from operations.pulumi_stack.cluster_pin import meant_cluster
from operations.pulumi_stack.program import declare
from operations.pulumi_stack.project import Project
from operations.pulumi_stack.recorder import Resource
from operations.pulumi_stack.stack_identity import identity_of, is_made_by

UNKNOWN = StoredState(inputs={}, manager=None, uid=None)
"""What Pulumi keeps of an object that it never applied."""


@dataclass(frozen=True, kw_only=True)
class Declared:
    """What a stack declares, and where."""

    stack: str
    cluster: Cluster
    resources: Sequence[Resource]
    """Those that are applied to the cluster, each after all that it waits for."""

    @classmethod
    def by(cls, project: Project, stack: str) -> Self:
        """Learn it from the program.

        Raises:
            OperationError: the stack file has faults, or its context leads to another cluster than it should.
        """
        resources = declare(project, stack)
        applied = [each for each in in_order(resources) if is_applied(each)]
        return cls(stack=stack, cluster=meant_cluster(resources), resources=applied)

    @property
    def keeps_names(self) -> bool:
        """Whether an object of it may have another name than the program declares."""
        return any(each.ignored for each in self.resources)

    def applied(self, state: State) -> Self:
        """Take the names that the objects have."""
        inputs = {urn: each.inputs for urn, each in state.objects.items()}
        return replace(self, resources=under_applied_names(self.resources, inputs))

    @property
    def manifests(self) -> list[Manifest]:
        """The objects."""
        return [dict(each.inputs) for each in self.resources]


@dataclass(frozen=True, kw_only=True)
class Observed:
    """All that a check looks at."""

    wanted: Declared
    state: State
    live: Snapshot

    @property
    def stamps(self) -> PlatformMetadata:
        """What the platform writes on namespaces."""
        own = [each["metadata"]["name"] for each in in_kind(self.wanted.manifests, "Namespace")]
        return PlatformMetadata.of(self.live.of_kind("Namespace"), own)


def check(project: Project, stack: str) -> Report:
    """Compare every object of a stack, whole, with what its stack file declares now.

    Raises:
        OperationError: something could not be read: the stack file, the state, or the cluster.
    """
    return compare(sample(project, stack))


def sample(project: Project, stack: str, wanted: Declared | None = None) -> Observed:
    """Read all that a check needs; what the stack declares only where it is not known yet.

    Raises:
        OperationError: something could not be read.
    """
    with ThreadPoolExecutor() as at_once:
        stored = at_once.submit(State.of, project, stack)
        known = wanted or Declared.by(project, stack)
        # An object may have another name than it is declared with; that the state alone knows.
        known = known.applied(stored.result()) if known.keeps_names else known
        live = Snapshot.take(known.cluster, known.manifests)
        return Observed(wanted=known, state=stored.result(), live=live)


def compare(observed: Observed) -> Report:
    """Hold what is declared, kept and live against each other. Pure."""
    wanted, state, live = observed.wanted, observed.state, observed.live
    unapplied = state.unapplied(wanted.resources)
    by_urn = {each.urn: each for each in wanted.resources}
    findings: list[Finding] = []
    stamps = observed.stamps
    for urn, resource in by_urn.items():
        stored = state.objects.get(urn, UNKNOWN)
        there = live.find(dict(resource.inputs))
        findings += object_findings(dict(resource.inputs), there, stored, stamps, pending=unapplied.get(urn))
    retired = [state.objects[urn].inputs for urn, verb in unapplied.items() if verb == "delete"]
    for each in retired:
        if there := live.find(each):
            why = "the stack file declares it no longer"
            findings.append(whole(there, Problem.UNDECLARED, why=why, pending=True))
    findings += pod_findings(wanted.manifests, live)
    findings += _foreign_objects(wanted.manifests, retired, live)
    inputs = {urn: each.inputs for urn, each in by_urn.items()} | {
        urn: state.objects[urn].inputs for urn, verb in unapplied.items() if verb == "delete"
    }
    return Report(
        stack=wanted.stack,
        context=wanted.cluster.context,
        time=dt.datetime.now(dt.UTC),
        compared=sum(live.find(each) is not None for each in wanted.manifests),
        unapplied=[f"{verb} {ref(dict(inputs[urn]))}" for urn, verb in unapplied.items()],
        findings=findings,
    )


def _foreign_objects(
    wanted: Sequence[Manifest], retired: Sequence[Manifest], live: Snapshot
) -> Iterator[Finding]:
    reach, identity = Reach.of(wanted), identity_of(wanted)
    known = [*wanted, *retired]
    for watched in WATCHED:
        for each in live.listed(watched):
            why = watched.touches(each, reach)
            if why and not any(same_object(each, other) for other in known):
                is_foreign = not is_made_by(each, identity)
                yield whole(each, Problem.UNDECLARED, why=why, is_foreign=is_foreign)
