"""Live pods: manual changes are found; fields of the node, the scheduler and injection are not."""

from copy import deepcopy
from typing import Any

import pytest

from operations.drift.check import Observed, compare
from operations.drift.findings import Problem
from operations.kube.manifests import Manifest
from tests.unit.operations.drift.live import EDITED, MADE, declared, entry, made, manifest, snapshot, state

SIDECAR = {"name": "istio-proxy", "image": "istio/proxyv2:1", "restartPolicy": "Always"}


def family() -> tuple[Manifest, Manifest]:
    """A ReplicaSet of the dev stack's Deployment, and its pod with a sidecar."""
    deployment = made(manifest("Deployment", "springbootapp-v1"))
    template = deepcopy(deployment["spec"]["template"])
    template["metadata"]["labels"]["pod-template-hash"] = "abc"
    place = {"namespace": "springistiodemo", "uid": "set", "name": "springbootapp-v1-abc"}
    owner = {"controller": True, "uid": deployment["metadata"]["uid"], "kind": "Deployment"}
    sets = {
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {**place, "ownerReferences": [owner]}, "spec": {"template": template},
    }  # fmt: skip
    pod: Manifest = {
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            **place, "name": "springbootapp-v1-abc-x", "uid": "pod",
            "labels": dict(template["metadata"]["labels"]),
            "ownerReferences": [{**owner, "uid": "set", "kind": "ReplicaSet", "name": place["name"]}],
            "managedFields": [entry("kube-controller-manager", "Update", MADE, {"f:spec": {}})],
        },
        "spec": {**deepcopy(template["spec"]), "initContainers": [dict(SIDECAR)]},
    }  # fmt: skip
    return sets, pod


def written(manager: str, fields: dict[str, Any], subresource: str = "") -> dict[str, Any]:
    """A later entry of `managedFields`."""
    return {**entry(manager, "Update", EDITED, fields), "subresource": subresource}


def problems(change: Any) -> list[tuple[Problem, str, object]]:  # noqa: ANN401
    """The findings after a change of the pod."""
    sets, pod = family()
    change(pod)
    live = [made(each) for each in declared("dev").manifests]
    report = compare(Observed(wanted=declared("dev"), state=state("dev"), live=snapshot([*live, sets, pod])))
    return [(each.problem, each.path, each.live) for each in report.findings]


def test_a_pod_as_it_was_created_has_no_findings() -> None:
    """With its sidecar, its node, and the fields of the kubelet."""

    def schedule(pod: Manifest) -> None:
        pod["spec"] |= {"nodeName": "node", "deadline": 1}
        pod["metadata"]["labels"]["topology.kubernetes.io/zone"] = "a"
        zone: dict[str, Any] = {"f:labels": {"f:topology.kubernetes.io/zone": {}}}
        entries = pod["metadata"]["managedFields"]
        entries.append(
            written("kube-scheduler", {"f:metadata": zone, "f:spec": {"f:nodeName": {}}}, "binding")
        )
        entries.append(written("kubelet", {"f:status": {"f:phase": {}}}, "status"))

    assert problems(schedule) == []


def hold(pod: Manifest) -> None:
    """Add a finalizer."""
    pod["metadata"]["finalizers"] = ["example.com/a"]
    fields: dict[str, Any] = {"f:finalizers": {".": {}, 'v:"example.com/a"': {}}}
    pod["metadata"]["managedFields"].append(written("kubectl-patch", {"f:metadata": fields}))


def end(pod: Manifest) -> None:
    """Set its deadline."""
    pod["spec"]["activeDeadlineSeconds"] = 60
    pod["metadata"]["managedFields"].append(
        written("kubectl-patch", {"f:spec": {"f:activeDeadlineSeconds": {}}})
    )


def other_proxy(pod: Manifest) -> None:
    """Change the image of its sidecar, which the ReplicaSet does not have."""
    pod["spec"]["initContainers"][0]["image"] = "other"
    fields: dict[str, Any] = {"f:initContainers": {'k:{"name":"istio-proxy"}': {"f:image": {}}}}
    pod["metadata"]["managedFields"].append(written("kubectl-set", {"f:spec": fields}))


def debug(pod: Manifest) -> None:
    """Add an ephemeral container with a token."""
    env = [{"name": "TOKEN", "value": "hunter2"}]
    pod["spec"]["ephemeralContainers"] = [{"name": "other", "image": "other", "env": env}]
    fields: dict[str, Any] = {
        "f:ephemeralContainers": {".": {}, 'k:{"name":"other"}': {".": {}, "f:name": {}}}
    }
    pod["metadata"]["managedFields"].append(
        written("kubectl-debug", {"f:spec": fields}, "ephemeralcontainers")
    )


@pytest.mark.parametrize(
    ("change", "path", "value"),
    [
        (hold, "metadata.finalizers[example.com/a]", "example.com/a"),
        (end, "spec.activeDeadlineSeconds", 60),
        (other_proxy, "spec.initContainers[istio-proxy].image", "other"),
        (
            debug,
            "spec.ephemeralContainers[other]",
            {"name": "other", "image": "other", "env": [{"name": "TOKEN", "value": "(hidden)"}]},
        ),
    ],
)
def test_manual_changes_are_found(change: Any, path: str, value: object) -> None:  # noqa: ANN401
    """Also those of injected containers."""
    assert problems(change) == [(Problem.ADDED, path, value)]
