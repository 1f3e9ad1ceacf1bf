"""Check a stack: compare its declared objects, Pulumi's state and the live objects."""

import datetime as dt
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Self

from components.model.drift import Drift
from components.model.handover import Handover
from operations.drift.findings import Finding, Report
from operations.drift.foreign_kinds import FOREIGN_KINDS
from operations.drift.ignored_fields import IgnoredFields
from operations.drift.object_drift import object_findings, ref, whole
from operations.drift.pod_drift import pod_findings
from operations.drift.snapshot import Snapshot
from operations.drift.stack_scope import StackScope
from operations.drift.state import State, StoredState
from operations.kube.applied_names import under_applied_names
from operations.kube.cluster import Cluster, same_object
from operations.kube.manifests import Manifest, in_order, is_applied
from operations.pulumi_stack.cluster_pin import meant_cluster
from operations.pulumi_stack.program import declare
from operations.pulumi_stack.project import Project
from operations.pulumi_stack.recorder import Resource
from operations.pulumi_stack.stack_identity import identity_of, is_made_by

NOT_APPLIED = StoredState(inputs={}, manager=None, uid=None)
"""The state of an object that Pulumi never applied."""


@dataclass(frozen=True, kw_only=True)
class Declared:
    """The declared objects of a stack, their cluster, and the settings of a check."""

    stack: str
    cluster: Cluster
    resources: Sequence[Resource]
    """The resources that are applied to the cluster, in the order of their dependencies."""
    drift: Drift = field(default_factory=Drift)
    handover: Handover = field(default_factory=Handover)

    @classmethod
    def by(cls, project: Project, stack: str) -> Self:
        """Run the program, which validates the stack file, and read the settings.

        Raises:
            OperationError: the stack file has errors, or its context leads to another cluster than it should.
        """
        resources = declare(project, stack)
        return cls(
            stack=stack,
            cluster=meant_cluster(resources),
            resources=[each for each in in_order(resources) if is_applied(each)],
            drift=project.setting(stack, "drift", Drift),
            handover=project.setting(stack, "handover", Handover),
        )

    @property
    def keeps_names(self) -> bool:
        """Whether the live objects may have other names than the program declares."""
        return any(each.ignored for each in self.resources)

    def applied(self, state: State) -> Self:
        """Return the same with the names of the live objects."""
        inputs = {urn: each.inputs for urn, each in state.objects.items()}
        return replace(self, resources=under_applied_names(self.resources, inputs))

    @property
    def manifests(self) -> list[Manifest]:
        """The declared objects."""
        return [dict(each.inputs) for each in self.resources]

    @property
    def ignored(self) -> IgnoredFields:
        """The undeclared fields that other programs may write."""
        return IgnoredFields(self.drift.ignore)


@dataclass(frozen=True, kw_only=True)
class Observed:
    """The input of a comparison."""

    wanted: Declared
    state: State
    live: Snapshot


def check(project: Project, stack: str) -> Report:
    """Compare each object of a stack with what its stack file declares now.

    Raises:
        OperationError: the stack file, the state or the cluster could not be read.
    """
    return compare(observe(project, stack))


def observe(project: Project, stack: str, wanted: Declared | None = None) -> Observed:
    """Read the state and the live objects, and the declared ones unless they are given.

    Raises:
        OperationError: the stack file, the state or the cluster could not be read.
    """
    with ThreadPoolExecutor() as threads:
        stored = threads.submit(State.of, project, stack)
        declared = wanted or Declared.by(project, stack)
        # Only the state has the name of an object that does not have the declared one.
        declared = declared.applied(stored.result()) if declared.keeps_names else declared
        live = Snapshot.take(declared.cluster, declared.manifests)
        return Observed(wanted=declared, state=stored.result(), live=live)


def compare(observed: Observed) -> Report:
    """Compare the declared objects, the state and the live objects. Pure."""
    wanted, state, live = observed.wanted, observed.state, observed.live
    unapplied, ignored = state.unapplied(wanted.resources), wanted.ignored
    inputs = {each.urn: dict(each.inputs) for each in wanted.resources}
    retired = {urn: state.objects[urn].inputs for urn, verb in unapplied.items() if verb == "delete"}
    findings: list[Finding] = []
    for urn, declared in inputs.items():
        stored = state.objects.get(urn, NOT_APPLIED)
        findings += object_findings(
            declared, live.find(declared), stored, ignored, pending=unapplied.get(urn)
        )
    for each in retired.values():
        if there := live.find(each):
            findings.append(whole(there, why="the stack file no longer declares it", pending=True))
    findings += pod_findings(wanted.manifests, live, ignored)
    findings += _foreign_objects(wanted.manifests, list(retired.values()), live)
    return Report(
        stack=wanted.stack,
        context=wanted.cluster.context,
        time=dt.datetime.now(dt.UTC),
        compared=sum(live.find(each) is not None for each in wanted.manifests),
        unapplied=[f"{verb} {ref((inputs | retired)[urn])}" for urn, verb in unapplied.items()],
        findings=findings,
    )


def _foreign_objects(
    wanted: Sequence[Manifest], retired: Sequence[Manifest], live: Snapshot
) -> Iterator[Finding]:
    own = [*wanted, *retired]
    scope, identity = StackScope.of(own), identity_of(wanted)
    for kind in FOREIGN_KINDS:
        for each in live.of_kind(kind.api_version, kind.kind):
            why = kind.affects(each, scope)
            if why and not any(same_object(each, other) for other in own):
                yield whole(each, why=why, is_foreign=not is_made_by(each, identity))
