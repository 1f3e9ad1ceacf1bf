"""The steps of `--fix`, their order, and the objects that it writes."""

from dataclasses import replace

import pytest

from components.model.stack_identity import LABEL
from operations.drift.check import Observed, compare
from operations.drift.plan import foreign_objects, plan
from operations.drift.restored import restored
from operations.errors import OperationError
from operations.kube.manifests import Manifest
from operations.pulumi_stack.stack_identity import identity_of
from tests.unit.operations.drift.live import (
    IGNORED,
    PULUMI,
    declared,
    edited,
    made,
    manifest,
    snapshot,
    state,
    stored,
)
from tests.unit.operations.drift.test_foreign_objects import present


def observed(live: list[Manifest], stack: str = "prod") -> Observed:
    return Observed(wanted=declared(stack), state=state(stack), live=snapshot(live))


def steps(live: list[Manifest], stack: str = "prod") -> list[str]:
    seen = observed(live, stack)
    return [str(each).replace(f"{NAMESPACE}/", "") for each in plan(seen, compare(seen))]


NAMESPACE = "springistiodemo-prod"


def test_pods_come_before_subsets_and_subsets_before_routes() -> None:
    """All objects deleted: created in the order of `pulumi up`."""
    created = steps([made(each) for each in declared("prod").manifests if each["kind"] == "Namespace"])
    order = [each.removeprefix("create: ") for each in created]
    for earlier, later in (
        ("ServiceAccount springbootapp", "Deployment springbootapp-v1"),
        ("Deployment springbootapp-v2", "DestinationRule springbootapp-v2"),
        ("DestinationRule springbootapp-v1", "VirtualService springbootapp"),
        ("AuthorizationPolicy springbootapp", "VirtualService springbootapp"),
        ("Gateway springbootapp", "VirtualService springbootapp"),
    ):
        assert order.index(earlier) < order.index(later)


UNDECLARED = [
    present("DestinationRule", {"host": "springbootapp"}),
    present("VirtualService", {"hosts": ["prod.example.com"], "gateways": ["g"]}),
    present("NetworkPolicy", {"podSelector": {}}),
    present("Pod", labels={"app": "springbootapp"}),
]


def as_own(each: Manifest) -> Manifest:
    """The object as if an update of the stack had created it."""
    labels = {**each["metadata"]["labels"], LABEL: identity_of(declared("prod").manifests)}
    note = {"manager": PULUMI, "operation": "Apply", "time": "2026-11-01T08:00:00Z"}
    return {**each, "metadata": {**each["metadata"], "labels": labels, "managedFields": [note]}}


def test_policies_are_deleted_first_and_targets_of_routes_last() -> None:
    """A NetworkPolicy before new pods start; the rule of a subset after the route is restored."""
    live = []
    for each in declared("prod").manifests:
        there = made(each)
        if each["kind"] in ("Deployment", "VirtualService"):
            there = edited(there, "metadata", "labels", "team", value="a")
        live.append(there)
    live += map(as_own, UNDECLARED)
    assert steps(live) == [
        "delete: NetworkPolicy manual",
        "restore: Deployment springbootapp-v1",
        "restore: Deployment springbootapp-v2",
        "restore: VirtualService springbootapp",
        "delete: VirtualService manual",
        "delete: DestinationRule manual",
        "delete: Pod manual",
    ]


@pytest.mark.parametrize("label", ["none", "another stack's", "the stack's own, copied with kubectl"])
def test_foreign_objects_are_reported_and_never_deleted(label: str) -> None:
    """Such as a route of another team for the same host; with the command that deletes it."""
    live = [made(each) for each in declared("prod").manifests]
    theirs = [as_own(each) for each in UNDECLARED]
    for each in theirs:
        if label == "none":
            del each["metadata"]["labels"][LABEL]
        elif label == "another stack's":
            each["metadata"]["labels"][LABEL] = "mesh-app.dev-111111"
        else:
            each["metadata"]["managedFields"][0]["manager"] = "kubectl-create"
    assert steps([*live, *theirs]) == []
    report = compare(observed([*live, *theirs]))
    assert len(report.findings) == len(UNDECLARED)
    assert (
        f"VirtualService {NAMESPACE}/manual (routes requests for prod.example.com): "
        "kubectl --context lab delete "
        f"virtualservice.networking.istio.io manual --namespace {NAMESPACE}"
    ) in foreign_objects(report)


def test_changes_that_are_not_applied_are_refused() -> None:
    """Only `pulumi up` applies the stack file."""
    seen = observed([made(each) for each in declared("prod").manifests])
    urn = next(iter(seen.state.objects))
    older = replace(seen.state.objects[urn], inputs={**seen.state.objects[urn].inputs, "spec": {"old": True}})
    seen = replace(seen, state=replace(seen.state, objects={**seen.state.objects, urn: older}))
    with pytest.raises(OperationError, match="not applied yet") as error:
        plan(seen, compare(seen))
    assert "pulumi up --stack prod" in error.value.fix


def test_a_restored_object_retains_the_fields_of_controllers() -> None:
    """An autoscaler's replicas, a restart and a default are retained; a manual change is not."""
    wanted = manifest("Deployment", stack="prod")
    live = edited(made(wanted), "spec", "replicas", value=7)
    at = "kubectl.kubernetes.io/restartedAt"
    live = edited(live, "spec", "template", "metadata", "annotations", at, value="noon")
    live = edited(live, "spec", "paused", value=True)
    live["metadata"]["annotations"] = {"deployment.kubernetes.io/revision": "4"}
    live["spec"]["newDefault"] = "x"
    body = restored(wanted, live, stored(wanted), IGNORED, PULUMI)
    assert body["spec"]["replicas"] == 7
    assert body["spec"]["newDefault"] == "x"
    assert body["spec"]["template"]["metadata"]["annotations"][at] == "noon"
    assert body["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "4"
    assert body["metadata"]["resourceVersion"] == "1"
    assert "paused" not in body["spec"]
    assert [each["manager"] for each in body["metadata"]["managedFields"]] == [PULUMI]
    for key, value in wanted["spec"].items():
        if key != "template":
            assert body["spec"][key] == value


def test_the_stack_is_the_only_owner_of_a_restored_object() -> None:
    """A scaler's entry for replicas is removed if they are declared, and stays if they are not."""

    def scalers(stack: str) -> list[str]:
        wanted = manifest("Deployment", stack=stack)
        live = edited(made(wanted), "spec", "replicas", value=1)
        live["metadata"]["managedFields"][-1] |= {"manager": "scaler", "subresource": "scale"}
        notes = restored(wanted, live, stored(wanted), IGNORED, PULUMI)["metadata"]["managedFields"]
        return [each["manager"] for each in notes]

    assert scalers("dev") == [PULUMI]
    assert scalers("prod") == [PULUMI, "scaler"]
