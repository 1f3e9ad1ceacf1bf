"""Live pods: what somebody changed on one is found, and what node, scheduler and injection write is not."""

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


def note(manager: str, fields: dict[str, Any], subresource: str = "") -> dict[str, Any]:
    """Who wrote what of a pod later."""
    return {**entry(manager, "Update", EDITED, fields), "subresource": subresource}


def problems(change: Any) -> list[tuple[Problem, str, object]]:  # noqa: ANN401
    """What is found where the pod was changed."""
    sets, pod = family()
    change(pod)
    live = [made(each) for each in declared("dev").manifests]
    report = compare(Observed(wanted=declared("dev"), state=state("dev"), live=snapshot([*live, sets, pod])))
    return [(each.problem, each.path, each.live) for each in report.findings]


def test_a_pod_as_it_was_made_is_in_order() -> None:
    """With its sidecar, its node, and what the kubelet writes."""

    def settle(pod: Manifest) -> None:
        pod["spec"] |= {"nodeName": "node", "deadline": 1}
        pod["metadata"]["labels"]["topology.kubernetes.io/zone"] = "a"
        zone: dict[str, Any] = {"f:labels": {"f:topology.kubernetes.io/zone": {}}}
        notes = pod["metadata"]["managedFields"]
        notes.append(note("kube-scheduler", {"f:metadata": zone, "f:spec": {"f:nodeName": {}}}, "binding"))
        notes.append(note("kubelet", {"f:status": {"f:phase": {}}}, "status"))

    assert problems(settle) == []


def hold(pod: Manifest) -> None:
    """Somebody holds it."""
    pod["metadata"]["finalizers"] = ["example.com/hand"]
    fields: dict[str, Any] = {"f:finalizers": {".": {}, 'v:"example.com/hand"': {}}}
    pod["metadata"]["managedFields"].append(note("kubectl-patch", {"f:metadata": fields}))


def end(pod: Manifest) -> None:
    """Somebody says when it ends."""
    pod["spec"]["activeDeadlineSeconds"] = 60
    pod["metadata"]["managedFields"].append(
        note("kubectl-patch", {"f:spec": {"f:activeDeadlineSeconds": {}}})
    )


def other_proxy(pod: Manifest) -> None:
    """Somebody changed the image of its sidecar, which its ReplicaSet does not know."""
    pod["spec"]["initContainers"][0]["image"] = "hand"
    fields: dict[str, Any] = {"f:initContainers": {'k:{"name":"istio-proxy"}': {"f:image": {}}}}
    pod["metadata"]["managedFields"].append(note("kubectl-set", {"f:spec": fields}))


def debug(pod: Manifest) -> None:
    """Somebody looks into it, with a token of theirs."""
    env = [{"name": "TOKEN", "value": "hunter2"}]
    pod["spec"]["ephemeralContainers"] = [{"name": "hand", "image": "hand", "env": env}]
    fields: dict[str, Any] = {
        "f:ephemeralContainers": {".": {}, 'k:{"name":"hand"}': {".": {}, "f:name": {}}}
    }
    pod["metadata"]["managedFields"].append(note("kubectl-debug", {"f:spec": fields}, "ephemeralcontainers"))


@pytest.mark.parametrize(
    ("change", "path", "value"),
    [
        (hold, "metadata.finalizers[example.com/hand]", "example.com/hand"),
        (end, "spec.activeDeadlineSeconds", 60),
        (other_proxy, "spec.initContainers[istio-proxy].image", "hand"),
        (
            debug,
            "spec.ephemeralContainers[hand]",
            {"name": "hand", "image": "hand", "env": [{"name": "TOKEN", "value": "(hidden)"}]},
        ),
    ],
)
def test_what_a_hand_wrote_is_found(change: Any, path: str, value: object) -> None:  # noqa: ANN401
    """Injected containers among it."""
    assert problems(change) == [(Problem.ADDED, path, value)]
