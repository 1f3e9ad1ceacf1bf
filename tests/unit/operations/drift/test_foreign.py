"""Objects that nobody declared: those that touch the stack's hosts or pods are found, and no others are."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from operations.drift.check import Observed, compare
from operations.drift.findings import Problem
from tests.unit.operations.drift.live import declared, made, snapshot, state

NAMESPACE = "springistiodemo-prod"
CASES = yaml.safe_load(Path(__file__).with_name("foreign.yaml").read_text())


def present(kind: str, spec: dict[str, Any] | None = None, **given: Any) -> dict[str, Any]:  # noqa: ANN401
    metadata = {"name": "hand-made", "namespace": given.get("namespace", NAMESPACE), "uid": "x"}
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
    ("VirtualService", "DestinationRule", "Gateway", "ServiceEntry", "Sidecar"), "networking.istio.io/v1"
)
SECURITY = dict.fromkeys(
    ("PeerAuthentication", "RequestAuthentication", "AuthorizationPolicy"), "security.istio.io/v1"
)
CORE = dict.fromkeys(("Service", "Pod", "LimitRange"), "v1")
APPS = dict.fromkeys(("Deployment", "ReplicaSet"), "apps/v1")
BATCH = dict.fromkeys(("Job", "CronJob"), "batch/v1")
VERSIONS = {
    **BATCH,
    "ScaledObject": "keda.sh/v1alpha1",
    "Canary": "flagger.app/v1beta1",
    "BackendTLSPolicy": "gateway.networking.k8s.io/v1",
    **NETWORKING,
    **SECURITY,
    **CORE,
    **APPS,
    "EnvoyFilter": "networking.istio.io/v1alpha3",
    "Telemetry": "telemetry.istio.io/v1",
    "WasmPlugin": "extensions.istio.io/v1alpha1",
    "HTTPRoute": "gateway.networking.k8s.io/v1",
    "Ingress": "networking.k8s.io/v1",
    "NetworkPolicy": "networking.k8s.io/v1",
    "EndpointSlice": "discovery.k8s.io/v1",
    "HorizontalPodAutoscaler": "autoscaling/v2",
    "PodDisruptionBudget": "policy/v1",
}


@pytest.mark.parametrize("case", CASES["touching"].items(), ids=lambda case: case[0])
def test_what_touches_the_stack_is_found(case: tuple[str, dict[str, Any]]) -> None:
    """Each with what it touches, in words."""
    (said,) = undeclared(case[1])
    assert said.startswith(f"{case[1]['kind']} hand-made: ")


@pytest.mark.parametrize("case", CASES["apart"].items(), ids=lambda case: case[0])
def test_what_stands_beside_it_is_not(case: tuple[str, dict[str, Any]]) -> None:
    """Other stacks, other apps in the namespace, and what the platform says for the whole mesh."""
    assert undeclared(case[1]) == []


@pytest.mark.parametrize("stack", ["dev", "staging", "prod"])
def test_stacks_side_by_side_are_no_strangers(stack: str) -> None:
    """The project's three stacks on one cluster: each clean."""
    live = [made(wanted) for other in ("dev", "staging", "prod") for wanted in declared(other).manifests]
    report = compare(Observed(wanted=declared(stack), state=state(stack), live=snapshot(live)))
    assert list(report.findings) == []
    assert report.compared == len(declared(stack).manifests)
