"""Why pods are not ready, read from the objects as the API server writes them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.rollout.rollout_status import AGAIN_SECONDS, DeploymentDeleted, PodIssue, rollout

CASES: dict[str, dict[str, Any]] = yaml.safe_load(
    Path(__file__).with_name("expected").joinpath("unready.yaml").read_text()
)


NAME = "springbootapp-v1"


def objects(status: dict[str, Any], events: Sequence[dict[str, str]] = ()) -> list[dict[str, Any]]:
    """One Deployment of two pods: one of the old ReplicaSet, ready, and one of the new, with this status."""
    of_pod = {"uid": "new", "fieldPath": "spec.containers{shop}"}
    return [
        {
            "kind": "Deployment",
            "metadata": {"name": NAME, "uid": "deployment", "generation": 2},
            "spec": {"replicas": 1},
            "status": {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 1, "availableReplicas": 1},
        },
        *(
            {
                "kind": "ReplicaSet",
                "metadata": {
                    "uid": uid,
                    "ownerReferences": [{"uid": "deployment"}],
                    "annotations": {"deployment.kubernetes.io/revision": revision},
                },
            }
            for uid, revision in (("set-10", "10"), ("set-9", "9"))
        ),
        {
            "kind": "Pod",
            "metadata": {"name": "shop-v1-old", "uid": "old", "ownerReferences": [{"uid": "set-9"}]},
            "status": {"conditions": [{"type": "Ready", "status": "False"}]},
        },
        {
            "kind": "Pod",
            "metadata": {"name": "shop-v1-new", "uid": "new", "ownerReferences": [{"uid": "set-10"}]},
            "status": status,
        },
        *({"kind": "Event", "involvedObject": of_pod, **event} for event in events),
        {
            "kind": "Event",
            "involvedObject": {**of_pod, "uid": "old"},
            "message": "Liveness probe failed: old",
        },
    ]


@pytest.mark.parametrize("case", CASES)
def test_what_pods_say(case: str) -> None:
    """Each thing that keeps a pod from being ready is told in the words of scheduler and kubelet."""
    given = CASES[case]
    found = rollout(objects(given["status"], given.get("events", ())), NAME)
    assert [vars(each) for each in found.pod_issues] == [
        vars(PodIssue(pod="shop-v1-new", **each)) for each in given["complaints"]
    ]
    assert not found.done


def test_done_is_what_the_controller_counts() -> None:
    """All pods are new, all are available, none is left over, and the last change has been seen."""
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    deployment, *others = objects(ready)
    done = {**deployment["status"], "replicas": 1}
    assert rollout([{**deployment, "status": done}, *others], NAME).done
    assert not rollout([{**deployment, "status": {**done, "observedGeneration": 1}}, *others], NAME).done
    assert not rollout([deployment, *others], NAME).done
    assert not rollout([{**deployment, "status": {}}], NAME).done


def test_a_deployment_may_go_meanwhile() -> None:
    """Its pods outlive it for a while."""
    _, *others = objects({})
    with pytest.raises(DeploymentDeleted):
        rollout(others, NAME)


@pytest.mark.parametrize("annotations", [{}, {"deployment.kubernetes.io/revision": "99"}])
def test_a_replica_set_of_the_same_labels_is_not_the_deployments(annotations: dict[str, str]) -> None:
    """One made by hand may have no revision, or a later one."""
    foreign = {"kind": "ReplicaSet", "metadata": {"uid": "foreign", "annotations": annotations}}
    pod = CASES["there is no such image"]
    found = rollout([foreign, *objects(pod["status"])], NAME)
    assert [each.pod for each in found.pod_issues] == ["shop-v1-new"]


def test_the_newest_replica_set_may_have_no_revision_yet() -> None:
    """Its controller writes that a moment later; the annotations may be absent altogether."""
    deployment, *_ = objects({})
    new = {"kind": "ReplicaSet", "metadata": {"uid": "new", "ownerReferences": [{"uid": "deployment"}]}}
    assert not rollout([deployment, new], NAME).done


def available(count: int, **changes: int) -> dict[str, Any]:
    """A Deployment whose pods are all new and available, but for the changes of its spec and status."""
    deployment, *_ = objects({})
    status = dict.fromkeys(("replicas", "updatedReplicas", "availableReplicas"), count)
    wanted = changes.pop("wanted", count)
    return {
        **deployment,
        "spec": {"replicas": wanted},
        "status": {**status, "observedGeneration": 2, **changes},
    }


def test_enough_is_what_is_declared() -> None:
    """Not what an autoscaler has not raised yet, nor all that it wants besides; and no old pod is left."""
    assert rollout([available(4)], NAME, fewest=4).done
    assert rollout([available(4, wanted=9)], NAME, fewest=4).done
    assert not rollout([available(4, replicas=5)], NAME, fewest=4).done
    assert not rollout([available(4, availableReplicas=3)], NAME, fewest=4).done
    assert rollout([available(1)], NAME).done
    assert not rollout([available(1)], NAME, fewest=4).done


def scaler(name: str = NAME, **condition: str) -> dict[str, Any]:
    """An autoscaler, with a condition."""
    return {
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name},
        "status": {"conditions": [condition] if condition else []},
    }


def test_what_no_autoscaler_raises_is_in_vain() -> None:
    """As after `kubectl scale`, or after somebody deleted the autoscaler; one of another name is no help."""
    for others in ([], [scaler("another")]):
        (found,) = rollout([available(1), *others], NAME, fewest=4).pod_issues
        assert found.reason.startswith("it is scaled to 1 of the 4 declared pods; `pulumi up --re")
        assert found.patience == AGAIN_SECONDS


def test_an_autoscaler_has_time_unless_it_is_off() -> None:
    """It turns itself off where a Deployment was scaled to none."""
    (slow,) = rollout([available(1), scaler()], NAME, fewest=4).pod_issues
    assert slow.patience is None
    off = scaler(type="ScalingActive", status="False", reason="ScalingDisabled", message="scaled to zero")
    (found,) = rollout([available(0), off], NAME, fewest=4).pod_issues
    assert "not scaled it from 0 to 4 pods; ScalingDisabled: scaled to zero; see kubectl" in found.reason
    assert found.patience == AGAIN_SECONDS
