"""One object: each difference is found with its writer, and nothing else is."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from operations.drift.diff import differences
from operations.drift.findings import Problem, Writer
from operations.drift.object_drift import FORCED
from operations.kube.defaults import spec_defaults
from operations.kube.fields import ABSENT, without
from tests.unit.operations.drift.live import (
    EDITED,
    MADE,
    PULUMI,
    declared,
    edited,
    entry,
    found,
    made,
    manifest,
)

STACKS = ("dev", "staging", "prod")


def mutations(value: Any) -> Iterator[Any]:  # noqa: ANN401 - nested plain data
    """Every value that differs in one place: changed, removed, added, appended, prepended, reordered."""
    if isinstance(value, dict):
        yield {**value, "example.com/a": "x"}
        for key, each in value.items():
            yield {other: one for other, one in value.items() if other != key}
            yield from ({**value, key: changed} for changed in mutations(each))
    elif isinstance(value, list):
        yield [*value, {"name": "other"} if value and isinstance(value[0], dict) else "other"]
        yield [{"name": "other"} if value and isinstance(value[0], dict) else "other", *value]
        if value != value[::-1]:
            yield value[::-1]
        for nth, each in enumerate(value):
            yield [*value[:nth], *value[nth + 1 :]]
            yield from ([*value[:nth], changed, *value[nth + 1 :]] for changed in mutations(each))
    else:
        yield (
            "7Gi" if isinstance(value, str) and value[-1:] == "i" and value[:1].isdigit() else f"{value} too"
        )


@pytest.mark.parametrize("stack", STACKS)
def test_every_mutation_of_every_object_is_found(stack: str) -> None:
    """Each change of one value in labels, annotations or spec; equal objects have no difference."""
    tried = 0
    for wanted in declared(stack).manifests:
        assert differences(wanted, deepcopy(wanted)) == []
        default = spec_defaults(wanted)
        for changed in mutations(wanted.get("spec") or {}):
            if without(changed, default) == without(wanted.get("spec") or {}, default):
                continue  # only a default is missing
            assert differences(wanted, {**wanted, "spec": changed}), changed
            tried += 1
        for part in ("labels", "annotations"):
            for changed in mutations(wanted["metadata"].get(part) or {}):
                metadata = {**wanted["metadata"], part: changed}
                assert differences(wanted, {**wanted, "metadata": metadata}), changed
                tried += 1
    assert tried > 150


def test_a_changed_value_is_reported_with_its_writer() -> None:
    """Object, path, both values, manager and time."""
    wanted = manifest("VirtualService", "springbootapp")
    routes = deepcopy(wanted["spec"]["http"])
    routes[0]["route"][0]["weight"] = 60
    (finding,) = found(wanted, edited(made(wanted), "spec", "http", value=routes))
    assert str(finding.ref) == "VirtualService springistiodemo/springbootapp"
    assert (finding.problem, finding.declared, finding.live) == (Problem.CHANGED, 100, 60)
    assert finding.path == "spec.http[weights].route[0].weight"
    assert finding.writer == Writer(manager="kubectl-edit", operation="Update", time=EDITED)


def test_an_added_label_is_reported() -> None:
    """Pulumi's refresh does not report it."""
    wanted = manifest("Service")
    (finding,) = found(wanted, edited(made(wanted), "metadata", "labels", "team.example.com/a", value="x"))
    assert finding.path == 'metadata.labels["team.example.com/a"]'
    assert (finding.problem, finding.declared, finding.live) == (Problem.ADDED, ABSENT, "x")


def test_defaults_are_no_drift() -> None:
    """Known ones, and unknown ones without a manager."""
    wanted = manifest("Deployment")
    live = made(wanted)
    live["spec"] |= {"progressDeadlineSeconds": 600, "newDefaultOfKubernetes2": {"seconds": 3}}
    live["spec"]["template"]["spec"] |= {"restartPolicy": "Always", "serviceAccount": "springbootapp"}
    live["spec"]["template"]["spec"]["containers"][0]["terminationMessagePolicy"] = "File"
    live["metadata"]["annotations"] |= {"deployment.kubernetes.io/revision": "3"}
    live["status"] = {"replicas": 1}
    assert found(wanted, live) == []


def test_a_default_with_a_manager_is_no_drift() -> None:
    """As after an adoption: kubectl's client-side apply owns the defaults of its objects."""
    wanted = manifest("Deployment")
    assert found(wanted, edited(made(wanted), "spec", "progressDeadlineSeconds", value=600)) == []


def test_a_restart_is_no_drift() -> None:
    """`kubectl rollout restart` writes into the template."""
    wanted = manifest("Deployment")
    key = "kubectl.kubernetes.io/restartedAt"
    path = ("spec", "template", "metadata", "annotations", key)
    assert found(wanted, edited(made(wanted), *path, value="now")) == []


def test_replicas_are_drift_if_the_stack_declares_them() -> None:
    """Otherwise they are the autoscaler's."""
    wanted = manifest("Deployment")
    (finding,) = found(wanted, edited(made(wanted), "spec", "replicas", value=3))
    assert (finding.path, finding.declared, finding.live) == ("spec.replicas", 1, 3)
    scaled = manifest("Deployment", stack="prod")
    assert "replicas" not in scaled["spec"]
    assert found(scaled, edited(made(scaled), "spec", "replicas", value=7)) == []


@pytest.mark.parametrize("amount", ["1Gi", "1073741824"])
def test_equal_quantities_are_no_drift(amount: str) -> None:
    """The API server writes 1024Mi as 1Gi."""
    wanted = manifest("Deployment", stack="prod")
    container = wanted["spec"]["template"]["spec"]["containers"][0]
    container["resources"]["limits"] = {"memory": "1024Mi"}
    live = made(wanted)
    live["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"] = {"memory": amount}
    assert found(wanted, live) == []


@pytest.mark.parametrize(
    ("annotations", "why"),
    [
        ({}, "the next pulumi up that changes it would be refused as a conflict"),
        ({FORCED: "true"}, "removed from the stack file, it would stay"),
    ],
)
def test_a_field_of_another_manager_is_reported_even_with_the_declared_value(
    annotations: dict[str, str], why: str
) -> None:
    """With the consequence."""
    wanted = manifest("Service")
    wanted["metadata"]["annotations"] = annotations
    live = edited(made(wanted), "spec", "ports", value=wanted["spec"]["ports"])
    (finding,) = found(wanted, live)
    assert (finding.problem, finding.path) == (Problem.TAKEN, "spec.ports")
    assert why in finding.why
    assert finding.writer
    assert finding.writer.manager == "kubectl-edit"


def test_without_managed_fields_no_field_counts_as_a_default() -> None:
    """Removing managedFields hides no change."""
    wanted = manifest("Service")
    live = edited(made(wanted), "spec", "externalIPs", value=["192.0.2.1"])
    live["metadata"]["managedFields"] = []
    assert [each.path for each in found(wanted, live)] == ["spec.externalIPs"]
    live = made(wanted)
    live["metadata"]["managedFields"] = []
    assert [each.path for each in found(wanted, live)] == ["metadata.managedFields"]


def test_a_change_by_a_webhook_while_pulumi_applies_is_no_drift() -> None:
    """The API server records it as an update under Pulumi's manager."""
    wanted = manifest("Deployment")
    live = edited(made(wanted), "metadata", "labels", "cost-centre", value="42")
    live["metadata"]["managedFields"][-1] |= {"manager": PULUMI, "time": MADE}
    assert found(wanted, live) == []


def test_a_second_pulumi_program_is_another_manager() -> None:
    """Its name also begins with `pulumi-kubernetes`."""
    wanted = manifest("Service")
    live = edited(made(wanted), "metadata", "labels", "x", value="y")
    live["metadata"]["managedFields"][-1] |= {"manager": "pulumi-kubernetes-ffff", "operation": "Apply"}
    (finding,) = found(wanted, live)
    assert finding.writer
    assert finding.writer.manager == "pulumi-kubernetes-ffff"


def test_a_missing_a_replaced_and_a_terminating_object() -> None:
    """Deleted; deleted and created again; deletion blocked by a finalizer."""
    wanted = manifest("DestinationRule")
    (finding,) = found(wanted, None)
    assert (finding.problem, finding.writer) == (Problem.MISSING, None)
    again = made(wanted)
    again["metadata"]["uid"] = "another"
    (finding,) = found(wanted, again)
    assert (finding.problem, finding.path, finding.live) == (Problem.REPLACED, "metadata.uid", "another")
    leaving = made(wanted)
    leaving["metadata"] |= {"deletionTimestamp": EDITED, "finalizers": ["example.com/hold"]}
    assert [each.problem for each in found(wanted, leaving)] == [Problem.LEAVING]


def test_a_headless_service_is_drift() -> None:
    """The API server assigns an address, never none."""
    wanted = manifest("Service")
    live = made(wanted)
    live["spec"] |= {"clusterIP": "10.0.0.1", "clusterIPs": ["10.0.0.1"]}
    assert found(wanted, live) == []
    live = edited(made(wanted), "spec", "clusterIP", value="None")
    assert [each.path for each in found(wanted, live)] == ["spec.clusterIP"]


def test_one_new_route_is_one_finding() -> None:
    """Not also a change of each route that follows."""
    wanted = manifest("VirtualService", "springbootapp", stack="staging")
    wanted["spec"]["http"] = [
        {key: value for key, value in each.items() if key != "name"} for each in wanted["spec"]["http"]
    ]
    added = {"route": [{"destination": {"host": "elsewhere"}}]}
    live = edited(made(wanted), "spec", "http", value=[added, *wanted["spec"]["http"]])
    (finding,) = found(wanted, live)
    assert (finding.problem, finding.path, finding.live) == (Problem.ADDED, "spec.http[0]", added)


def test_another_order_is_reported() -> None:
    """Named routes in a different order are a different policy."""
    wanted = manifest("VirtualService", "springbootapp", stack="staging")
    live = edited(made(wanted), "spec", "http", value=wanted["spec"]["http"][::-1])
    (finding,) = found(wanted, live)
    assert (finding.problem, finding.path) == (Problem.REORDERED, "spec.http")
    assert finding.live == list(reversed(finding.declared))  # type: ignore[call-overload]


def test_fields_inside_lists_have_owners_by_their_keys() -> None:
    """An item of a keyed list is found in managedFields by its key."""
    wanted = manifest("Deployment")
    live = made(wanted)
    container = live["spec"]["template"]["spec"]["containers"][0]
    sidecar = {"name": "debug", "image": "busybox"}
    live["spec"]["template"]["spec"]["containers"].append(sidecar)
    theirs: dict[str, Any] = {"k:" + '{"name":"debug"}': {".": {}, "f:image": {}, "f:name": {}}}
    fields = {"f:spec": {"f:template": {"f:spec": {"f:containers": theirs}}}}
    live["metadata"]["managedFields"].append(entry("kubectl-patch", "Update", EDITED, fields))
    own: dict[str, Any] = {"k:" + f'{{"name":"{container["name"]}"}}': {}}
    live["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"]["f:template"]["f:spec"]["f:containers"] = own
    (finding,) = found(wanted, live)
    assert (finding.problem, finding.path) == (Problem.ADDED, "spec.template.spec.containers[debug]")
    assert finding.writer
    assert finding.writer.manager == "kubectl-patch"


def test_objects_as_created_have_no_findings() -> None:
    """Each object of each stack, right after the update."""
    for stack in STACKS:
        for wanted in declared(stack).manifests:
            assert found(wanted, made(wanted)) == []
