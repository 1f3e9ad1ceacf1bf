"""Why pods are not ready, read from the objects as the API server writes them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.unready import Complaint, GoneError, rollout

CASES: dict[str, dict[str, Any]] = yaml.safe_load(
    Path(__file__).with_name("expected").joinpath("unready.yaml").read_text()
)


def objects(status: dict[str, Any], events: Sequence[dict[str, str]] = ()) -> list[dict[str, Any]]:
    """One Deployment of two pods: one of the old ReplicaSet, ready, and one of the new, with this status."""
    of_pod = {"uid": "new", "fieldPath": "spec.containers{shop}"}
    return [
        {
            "kind": "Deployment",
            "metadata": {"generation": 2},
            "spec": {"replicas": 1},
            "status": {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 1, "availableReplicas": 1},
        },
        *(
            {
                "kind": "ReplicaSet",
                "metadata": {"uid": uid, "annotations": {"deployment.kubernetes.io/revision": revision}},
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
    found = rollout(objects(given["status"], given.get("events", ())))
    assert [vars(each) for each in found.complaints] == [
        vars(Complaint(pod="shop-v1-new", **each)) for each in given["complaints"]
    ]
    assert not found.done


def test_done_is_what_the_controller_counts() -> None:
    """All pods are new, all are available, none is left over, and the last change has been seen."""
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    deployment, *others = objects(ready)
    done = {**deployment["status"], "replicas": 1}
    assert rollout([{**deployment, "status": done}, *others]).done
    assert not rollout([{**deployment, "status": {**done, "observedGeneration": 1}}, *others]).done
    assert not rollout([deployment, *others]).done
    assert not rollout([{**deployment, "status": {}}]).done


def test_a_deployment_may_go_meanwhile() -> None:
    """Its pods outlive it for a while."""
    _, *others = objects({})
    with pytest.raises(GoneError):
        rollout(others)
