"""Unmanaged objects: those that affect the stack's hosts or pods are reported, and no others."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from operations.drift.check import Observed, compare
from operations.drift.findings import Problem
from tests.unit.operations.drift.live import declared, made, snapshot, state

NAMESPACE = "springistiodemo-prod"
CASES = yaml.safe_load(Path(__file__).with_name("foreign_objects.yaml").read_text())


def present(kind: str, spec: dict[str, Any] | None = None, **given: Any) -> dict[str, Any]:  # noqa: ANN401
    metadata = {"name": "manual", "namespace": given.get("namespace", NAMESPACE), "uid": "x"}
    metadata |= {"labels": given.get("labels", {}), "ownerReferences": given.get("owners", [])}
    return {"apiVersion": VERSIONS[kind], "kind": kind, "metadata": metadata, "spec": spec or {}}


def undeclared(each: dict[str, Any], stack: str = "prod") -> list[str]:
    live = [made(wanted) for wanted in declared(stack).manifests]
    report = compare(
        Observed(wanted=declared(stack), state=state(stack), live=snapshot([*live, present(**each)]))
    )
    assert all(each.problem is Problem.UNDECLARED for each in report.findings), report.findings
    return [f"{each.ref.kind} {each.ref.name}: {each.why}" for each in report.findings]


NETWORKING = dict.fromkeys(
    ("VirtualService", "DestinationRule", "Gateway", "ServiceEntry"), "networking.istio.io/v1"
)
SECURITY = dict.fromkeys(
    ("PeerAuthentication", "RequestAuthentication", "AuthorizationPolicy"), "security.istio.io/v1"
)
CORE = dict.fromkeys(("Service", "Pod"), "v1")
VERSIONS = {
    **NETWORKING,
    **SECURITY,
    **CORE,
    "EnvoyFilter": "networking.istio.io/v1alpha3",
    "HTTPRoute": "gateway.networking.k8s.io/v1",
    "NetworkPolicy": "networking.k8s.io/v1",
    "HorizontalPodAutoscaler": "autoscaling/v2",
    "PodDisruptionBudget": "policy/v1",
}


@pytest.mark.parametrize("case", CASES["affecting"].items(), ids=lambda case: case[0])
def test_an_object_that_affects_the_stack_is_found(case: tuple[str, dict[str, Any]]) -> None:
    """With the reason."""
    (reason,) = undeclared(case[1])
    assert reason.startswith(f"{case[1]['kind']} manual: ")


@pytest.mark.parametrize("case", CASES["unrelated"].items(), ids=lambda case: case[0])
def test_other_objects_are_not_found(case: tuple[str, dict[str, Any]]) -> None:
    """Objects of other stacks, of other apps in the namespace, and of the whole mesh."""
    assert undeclared(case[1]) == []


@pytest.mark.parametrize("stack", ["dev", "staging", "prod"])
def test_stacks_in_one_cluster_do_not_affect_each_other(stack: str) -> None:
    """The project's three stacks: each has a clean report."""
    live = [made(wanted) for other in ("dev", "staging", "prod") for wanted in declared(other).manifests]
    report = compare(Observed(wanted=declared(stack), state=state(stack), live=snapshot(live)))
    assert list(report.findings) == []
    assert report.compared == len(declared(stack).manifests)
