"""Plan the steps of a repair in an order that loses no request. Pure.

Undeclared objects are deleted only if this stack created them. Policies are deleted first, since they may
affect new pods. Declared objects are repaired in the order of `pulumi up`: pods, subsets, routes. Undeclared
routes, rules and pods are deleted last, when no route leads to them.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from operations.drift.check import Observed
from operations.drift.findings import Finding, Problem, Ref, Report
from operations.drift.object_drift import ref
from operations.drift.state import StoredState
from operations.errors import OperationError
from operations.kube.manifests import Manifest

LAST: Final = ("VirtualService", "HTTPRoute", "ServiceEntry", "DestinationRule", "Gateway", "Service", "Pod")
"""Undeclared kinds that routes or clients may still use, in the order of their deletion."""


class Verb(StrEnum):
    """What is done to an object."""

    CREATE = "create"
    RESTORE = "restore"
    DELETE = "delete"
    RESTART = "restart the pods of"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One change."""

    verb: Verb
    manifest: Manifest
    """The declared object; for a deletion, the live one."""
    stored: StoredState | None = None

    def __str__(self) -> str:
        """Return the step as it is printed."""
        return f"{self.verb}: {ref(self.manifest)}"


def plan(observed: Observed, report: Report) -> list[Step]:
    """Return the steps of a repair.

    Raises:
        OperationError: the stack file has changes that are not applied.
    """
    stack = report.stack
    if report.unapplied:
        raise OperationError(
            f"the stack file of {stack} has changes that are not applied yet; --fix does not apply them",
            evidence="\n".join(report.unapplied),
            fix=f"pulumi up --stack {stack}, or revert the changes in the stack file; then --fix again. "
            "If manual changes make that update a conflict: PULUMI_K8S_ENABLE_PATCH_FORCE=true pulumi up",
        )
    own = [each for each in report.findings if each.problem is Problem.UNDECLARED and not each.is_foreign]
    deletions = [(_rank(each), _live(observed, each.ref)) for each in sorted(own, key=_rank)]
    early = [Step(verb=Verb.DELETE, manifest=live) for rank, live in deletions if rank < 0]
    late = [Step(verb=Verb.DELETE, manifest=live) for rank, live in deletions if rank >= 0]
    return [*early, *_repairs(observed, report), *late]


def foreign_objects(report: Report) -> list[str]:
    """Return the unmanaged objects, each with the command that deletes it."""
    return [
        f"{each.ref} ({each.why}): kubectl --context {report.context} delete {_kubectl_name(each.ref)}"
        for each in report.findings
        if each.is_foreign
    ]


def _kubectl_name(which: Ref) -> str:
    group = which.api_version.rpartition("/")[0]
    kind = f"{which.kind}.{group}" if group else which.kind
    place = f" --namespace {which.namespace}" if which.namespace else ""
    return f"{kind.lower()} {which.name}{place}"


def _repairs(observed: Observed, report: Report) -> list[Step]:
    problems: dict[Ref, set[Problem]] = {}
    for each in report.findings:
        problems.setdefault(each.ref, set()).add(each.problem)
    restarts = [
        _restart(observed, each) for each in report.of("Pod") if each.problem is not Problem.UNDECLARED
    ]
    steps = []
    for resource in observed.wanted.resources:
        wanted = dict(resource.inputs)
        if found := problems.get(ref(wanted)):
            verb = Verb.CREATE if found & {Problem.MISSING, Problem.LEAVING} else Verb.RESTORE
            steps.append(Step(verb=verb, manifest=wanted, stored=observed.state.objects[resource.urn]))
        if ref(wanted) in restarts:
            steps.append(Step(verb=Verb.RESTART, manifest=wanted))
    return steps


def _restart(observed: Observed, finding: Finding) -> Ref:
    """Return the Deployment of a pod with manual changes."""
    owners = _live(observed, finding.ref)["metadata"]["ownerReferences"]
    name = next(each["name"] for each in owners if each.get("controller")).rpartition("-")[0]
    return Ref(api_version="apps/v1", kind="Deployment", namespace=finding.ref.namespace, name=name)


def _live(observed: Observed, which: Ref) -> Manifest:
    metadata = {"name": which.name, **({"namespace": which.namespace} if which.namespace else {})}
    found = observed.live.find({"apiVersion": which.api_version, "kind": which.kind, "metadata": metadata})
    if found is None:
        raise LookupError(which)  # a finding is about an object that was read
    return found


def _rank(finding: Finding) -> int:
    return LAST.index(finding.ref.kind) if finding.ref.kind in LAST else -1
