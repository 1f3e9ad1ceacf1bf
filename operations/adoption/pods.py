"""Old pods serve until new ones are known to every proxy, and end without a request.

A rolling update would end each of them as soon as a new pod is ready. Kept by hand, they have no preStop and
close at once, while proxies still send to them (seen on the lab: 2 of 5,573 requests lost). So a Deployment
lets go of its pods before it changes: they serve on by themselves, the new ones come up beside them, and the
old ones first get no requests any more, alive, and then end.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from operations.errors import OperationError
from operations.kube.cluster import Cluster
from operations.kube.manifests import Manifest

RELEASED: Final = "operations.mesh-app/released"
"""The label of pods that their Deployment has let go; its value is the Deployment's name."""

DRAIN_SECONDS = 10
"""From the last new request to the end: until every proxy knows it, and open requests are answered."""

UNREADY: Final = {"status": {"conditions": [{"type": "Ready", "status": "False", "reason": "Released"}]}}

PATIENCE_SECONDS = 60
POLL_SECONDS = 0.5


def release(deployment: Manifest, cluster: Cluster) -> None:
    """Let a Deployment go of its pods, and make no others until Pulumi changes it.

    Pulumi ends the pause in the same request that brings the new pods: it takes over what kubectl wrote, and
    then leaves out what the program does not say.

    Raises:
        OperationError: its ReplicaSets do not go; the pods serve on.
    """
    name, namespace = deployment["metadata"]["name"], deployment["metadata"]["namespace"]
    cluster.patch(deployment, {"spec": {"paused": True}})
    sets = _owned("apps/v1", "ReplicaSet", {"Deployment": {name}}, namespace, cluster)
    names = {each["metadata"]["name"] for each in sets}
    for pod in _owned("v1", "Pod", {"ReplicaSet": names}, namespace, cluster):
        cluster.patch(pod, {"metadata": {"labels": {RELEASED: name}}})
    # Those without pods go too: a paused Deployment fills the latest of them again.
    for each in sorted(sets, key=lambda each: each["spec"]["replicas"]):
        cluster.delete(each, and_what_it_owns=False)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while _owned("apps/v1", "ReplicaSet", {"Deployment": {name}}, namespace, cluster):
        if time.monotonic() > deadline:
            raise OperationError(
                f"Deployment {name}: its ReplicaSets {', '.join(sorted(names))} do not go; its pods serve on",
                fix=f"kubectl describe replicaset --namespace {namespace}, then the same command again",
            )
        time.sleep(POLL_SECONDS)


def is_of(declared: Manifest, live: Manifest) -> bool:
    """Tell whether a live Deployment makes the program's pods already.

    It does when a takeover was interrupted. Its pods are not to be let go then: the next ReplicaSet would
    take them for its own, and end with them.
    """
    return _holds(declared["spec"]["template"], live["spec"]["template"])


def end_pods(namespace: str, cluster: Cluster, report_line: Callable[[str], None]) -> None:
    """Take released pods out of every proxy's reach, and end them when nobody sends to them any more.

    They are called unready, which is all that makes a Service pass a pod by and leaves the pod as it is.
    Without the Service's labels a pod's own proxy would forget at once what it is there for (seen on the lab:
    1 of 7,400 requests lost). The kubelet knows better and says so every 10 seconds, so it is said again.
    """
    every = cluster.every("v1", "Pod", namespace, selector=RELEASED)
    pods = [each for each in every if not each["metadata"].get("ownerReferences")]
    if not pods:
        return
    report_line(f"{len(pods)} old pods get no requests any more, and end {DRAIN_SECONDS} s later")
    deadline = time.monotonic() + DRAIN_SECONDS
    while time.monotonic() < deadline:
        for each in pods:
            cluster.patch_status(each, UNREADY)
        time.sleep(POLL_SECONDS)
    for each in pods:
        cluster.delete(each)


def _holds(declared: Any, live: Any) -> bool:  # noqa: ANN401 (nested plain data)
    """Tell whether every declared field is live."""
    if isinstance(declared, dict) and isinstance(live, dict):
        return all(_holds(value, live.get(key)) for key, value in declared.items())
    if isinstance(declared, list) and isinstance(live, list):
        return len(declared) == len(live) and all(map(_holds, declared, live))
    return bool(declared == live)


def _owned(
    api_version: str, kind: str, owners: Mapping[str, set[str]], namespace: str, cluster: Cluster
) -> list[Manifest]:
    """List the objects of a kind that one of these owns."""
    return [
        each
        for each in cluster.every(api_version, kind, namespace)
        if any(
            owner["name"] in owners.get(owner["kind"], ())
            for owner in each["metadata"].get("ownerReferences", ())
        )
    ]
