"""What `--fix` does and in which order, and what it writes."""

from dataclasses import replace

import pytest

from components.model.stack_identity import LABEL
from operations.drift.check import Observed, compare
from operations.drift.plan import left, plan
from operations.drift.repair import restored
from operations.errors import OperationError
from operations.kube.manifests import Manifest
from operations.pulumi_stack.stack_identity import identity_of
from tests.unit.operations.drift.live import (
    NONE,
    PULUMI,
    declared,
    edited,
    made,
    manifest,
    snapshot,
    state,
    stored,
)
from tests.unit.operations.drift.test_foreign import present


def observed(live: list[Manifest], stack: str = "prod") -> Observed:
    return Observed(wanted=declared(stack), state=state(stack), live=snapshot(live))


def steps(live: list[Manifest], stack: str = "prod") -> list[str]:
    seen = observed(live, stack)
    return [str(each).replace(f"{NAMESPACE}/", "") for each in plan(seen, compare(seen))]


NAMESPACE = "springistiodemo-prod"


def test_pods_come_before_subsets_and_subsets_before_routes() -> None:
    """All of it gone: made again as `pulumi up` makes it."""
    made_again = steps([made(each) for each in declared("prod").manifests if each["kind"] == "Namespace"])
    order = [each.removeprefix("make again: ") for each in made_again]
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
    """The object as if an update of the stack had made it."""
    labels = {**each["metadata"]["labels"], LABEL: identity_of(declared("prod").manifests)}
    note = {"manager": PULUMI, "operation": "Apply", "time": "2026-11-01T08:00:00Z"}
    return {**each, "metadata": {**each["metadata"], "labels": labels, "managedFields": [note]}}


def test_what_harms_pods_goes_first_and_what_routes_lead_to_goes_last() -> None:
    """A wall goes before new pods come; a subset's rule goes when the route is back."""
    live = []
    for each in declared("prod").manifests:
        there = made(each)
        if each["kind"] in ("Deployment", "VirtualService"):
            there = edited(there, "metadata", "labels", "hand", value="made")
        live.append(there)
    live += map(as_own, UNDECLARED)
    assert steps(live) == [
        "delete: NetworkPolicy hand-made",
        "put back: Deployment springbootapp-v1",
        "put back: Deployment springbootapp-v2",
        "put back: VirtualService springbootapp",
        "delete: VirtualService hand-made",
        "delete: DestinationRule hand-made",
        "delete: Pod hand-made",
    ]


@pytest.mark.parametrize("label", ["none", "another stack's", "the stack's own, copied by a hand"])
def test_what_the_stack_did_not_make_is_reported_and_never_deleted(label: str) -> None:
    """A route of another team for the same host, for one; with the command that would delete it."""
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
        f"VirtualService {NAMESPACE}/hand-made (answers for prod.example.com): kubectl --context lab delete "
        f"virtualservice.networking.istio.io hand-made --namespace {NAMESPACE}"
    ) in left(report, "lab")


def test_what_was_never_applied_is_not_put_back() -> None:
    """The stack file goes to the cluster by `pulumi up` and no other way."""
    seen = observed([made(each) for each in declared("prod").manifests])
    urn = next(iter(seen.state.objects))
    older = replace(seen.state.objects[urn], inputs={**seen.state.objects[urn].inputs, "spec": {"old": True}})
    seen = replace(seen, state=replace(seen.state, objects={**seen.state.objects, urn: older}))
    with pytest.raises(OperationError, match="not applied yet") as error:
        plan(seen, compare(seen))
    assert "pulumi up --stack prod" in error.value.fix


def test_what_is_put_back_keeps_what_belongs_to_others() -> None:
    """An autoscaler's count, a restart, an address: kept. What hands wrote: not."""
    wanted = manifest("Deployment", stack="prod")
    live = edited(made(wanted), "spec", "replicas", value=7)
    at = "kubectl.kubernetes.io/restartedAt"
    live = edited(live, "spec", "template", "metadata", "annotations", at, value="noon")
    live = edited(live, "spec", "paused", value=True)
    live["metadata"]["annotations"] = {"deployment.kubernetes.io/revision": "4"}
    live["spec"]["newDefault"] = "kept"
    body = restored(wanted, live, stored(wanted), NONE, PULUMI)
    assert body["spec"]["replicas"] == 7
    assert body["spec"]["newDefault"] == "kept"
    assert body["spec"]["template"]["metadata"]["annotations"][at] == "noon"
    assert body["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "4"
    assert body["metadata"]["resourceVersion"] == "1"
    assert "paused" not in body["spec"]
    assert [each["manager"] for each in body["metadata"]["managedFields"]] == [PULUMI]
    for key, value in wanted["spec"].items():
        if key != "template":
            assert body["spec"][key] == value


def test_what_is_put_back_is_the_stacks_alone() -> None:
    """A hand's note of a declared count goes, and an autoscaler's of one that is not declared stays."""

    def scalers(stack: str) -> list[str]:
        wanted = manifest("Deployment", stack=stack)
        live = edited(made(wanted), "spec", "replicas", value=1)
        live["metadata"]["managedFields"][-1] |= {"manager": "scaler", "subresource": "scale"}
        notes = restored(wanted, live, stored(wanted), NONE, PULUMI)["metadata"]["managedFields"]
        return [each["manager"] for each in notes]

    assert scalers("dev") == [PULUMI]
    assert scalers("prod") == [PULUMI, "scaler"]
