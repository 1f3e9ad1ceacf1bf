"""What has to be done to put a stack back, in the order that loses no request. Pure.

Of what is not declared only objects that this stack made are deleted; those of others are left as they are.
Policies go first, for new pods may suffer from them. Then what is declared comes back as `pulumi up` would
make it: pods before the subsets that need them, subsets before routes. Routes, rules and pods go last, when
no route leads to them any more.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from operations.drift.check import Observed
from operations.drift.findings import Finding, Problem, Ref, Report
from operations.drift.objects import ref
from operations.drift.state import StoredState
from operations.errors import OperationError
from operations.kube.manifests import Manifest

LAST: Final = (
    "VirtualService", "HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "Ingress", "ServiceEntry",
    "DestinationRule", "Gateway", "Service", "EndpointSlice", "WorkloadEntry", "Rollout", "Deployment",
    "StatefulSet", "DaemonSet", "ReplicaSet", "CronJob", "Job", "ReplicationController", "Pod",
)  # fmt: skip
"""Undeclared kinds that something may still lead to, in the order in which they go."""


class Verb(StrEnum):
    """What is done to one object."""

    MAKE = "make again"
    RESTORE = "put back"
    DELETE = "delete"
    LABEL = "give labels, finalizers and owner of its ReplicaSet"
    RENEW = "replace its pods, one by one"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One deed."""

    verb: Verb
    manifest: Manifest
    """The declared object; of a deletion or a label, the live one."""
    stored: StoredState | None = None

    def __str__(self) -> str:
        """As a person reads it."""
        return f"{self.verb}: {ref(self.manifest)}"


def plan(observed: Observed, report: Report) -> list[Step]:
    """List the deeds.

    Raises:
        OperationError: the stack file has changes that were not applied.
    """
    stack = report.stack
    if report.unapplied:
        raise OperationError(
            f"the stack file of {stack} says what was not applied yet; --fix puts back what was",
            evidence="\n".join(report.unapplied),
            fix=f"pulumi up --stack {stack}, or take the changes out of the stack file; then --fix again. "
            "Where hand edits make that up a conflict: PULUMI_K8S_ENABLE_PATCH_FORCE=true pulumi up",
        )
    own = [each for each in report.findings if each.problem is Problem.UNDECLARED and not each.is_foreign]
    deletions = [(_leaves(each), _live(observed, each.ref)) for each in sorted(own, key=_leaves)]
    early = [Step(verb=Verb.DELETE, manifest=live) for rank, live in deletions if rank < 0]
    late = [Step(verb=Verb.DELETE, manifest=live) for rank, live in deletions if rank >= 0]
    return [*early, *_restored(observed, report), *late]


def left(report: Report, context: str) -> list[str]:
    """List the objects of others that are left as they are, each with the command that deletes it."""
    return [
        f"{each.ref} ({each.why}): kubectl --context {context} delete {_kubectl_name(each.ref)}"
        for each in report.findings
        if each.is_foreign
    ]


def _kubectl_name(which: Ref) -> str:
    group = which.api_version.rpartition("/")[0]
    kind = f"{which.kind}.{group}" if group else which.kind
    place = f" --namespace {which.namespace}" if which.namespace else ""
    return f"{kind.lower()} {which.name}{place}"


def _restored(observed: Observed, report: Report) -> list[Step]:
    problems: dict[Ref, set[Problem]] = {}
    for each in report.findings:
        problems.setdefault(each.ref, set()).add(each.problem)
    steps = []
    for resource in observed.wanted.resources:
        wanted = dict(resource.inputs)
        found = problems.get(ref(wanted))
        if found:
            verb = Verb.MAKE if found & {Problem.MISSING, Problem.LEAVING} else Verb.RESTORE
            steps.append(Step(verb=verb, manifest=wanted, stored=observed.state.objects[resource.urn]))
    pods = _pods(observed, report)
    # Pods are mended with the Deployments: after them come subsets and routes.
    after = max((nth for nth, each in enumerate(steps) if each.manifest["kind"] == "Deployment"), default=-1)
    return [*steps[: after + 1], *pods, *steps[after + 1 :]]


def _pods(observed: Observed, report: Report) -> list[Step]:
    """Metadata is put back; where more of a pod was changed, the whole Deployment is renewed."""
    steps: list[Step] = []
    for each in report.of("Pod"):
        if each.problem is Problem.UNDECLARED:
            continue
        pod = _live(observed, each.ref)
        if each.path.startswith("metadata."):
            step = Step(verb=Verb.LABEL, manifest=pod)
        else:
            step = Step(verb=Verb.RENEW, manifest=_deployment(observed, pod))
        if str(step) not in map(str, steps):
            steps.append(step)
    return steps


def _deployment(observed: Observed, pod: Manifest) -> Manifest:
    owners = pod["metadata"]["ownerReferences"]
    name = next(each["name"] for each in owners if each.get("controller")).rpartition("-")[0]
    return next(
        each
        for each in observed.wanted.manifests
        if (each["kind"], each["metadata"]["name"]) == ("Deployment", name)
    )


def _live(observed: Observed, which: Ref) -> Manifest:
    metadata = {"name": which.name, **({"namespace": which.namespace} if which.namespace else {})}
    sought = {"apiVersion": which.api_version, "kind": which.kind, "metadata": metadata}
    found = observed.live.find(sought)
    if found is None:
        raise LookupError(which)  # a finding is of an object that was read
    return found


def _leaves(finding: Finding) -> int:
    return LAST.index(finding.ref.kind) if finding.ref.kind in LAST else -1
