"""Releases the old pods of a Deployment, and ends them once no proxy sends requests to them.

A rolling update ends each old pod as soon as a new one is ready. Without a preStop hook it closes its port
while proxies still send requests (on the lab 2 of 5,573 were lost). So a Deployment's pods are released
before it changes: they still serve without an owner, the new pods are created beside them, and the old ones
are taken out of the Service before they end.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from operations.errors import OperationError
from operations.kube.cluster import Cluster
from operations.kube.manifests import Manifest

RELEASED: Final = "operations.mesh-app/released"
"""The label of released pods; its value is the Deployment's name."""

DRAIN_SECONDS = 10
"""Time between the last new request and the end: for the proxies, and for open requests."""

UNREADY: Final = {"status": {"conditions": [{"type": "Ready", "status": "False", "reason": "Released"}]}}

PATIENCE_SECONDS = 60
POLL_SECONDS = 0.5


def release(deployment: Manifest, cluster: Cluster) -> None:
    """Release the pods of a Deployment, and pause it until Pulumi changes it.

    Pulumi ends the pause in the request that brings the new pods: it takes over kubectl's fields, and removes
    those that the program does not declare.

    Raises:
        OperationError: its ReplicaSets are not deleted in time; the pods still serve.
    """
    name, namespace = deployment["metadata"]["name"], deployment["metadata"]["namespace"]
    cluster.patch(deployment, {"spec": {"paused": True}})
    sets = _owned("apps/v1", "ReplicaSet", {"Deployment": {name}}, namespace, cluster)
    names = {each["metadata"]["name"] for each in sets}
    for pod in _owned("v1", "Pod", {"ReplicaSet": names}, namespace, cluster):
        cluster.patch(pod, {"metadata": {"labels": {RELEASED: name}}})
    # Also those without pods: a paused Deployment would scale up the latest.
    for each in sorted(sets, key=lambda each: each["spec"]["replicas"]):
        cluster.delete(each, and_what_it_owns=False)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while _owned("apps/v1", "ReplicaSet", {"Deployment": {name}}, namespace, cluster):
        if time.monotonic() > deadline:
            raise OperationError(
                f"Deployment {name}: its ReplicaSets {', '.join(sorted(names))} were not deleted "
                f"within {PATIENCE_SECONDS} s; its pods still serve",
                fix=f"kubectl describe replicaset --namespace {namespace}, then the same command again",
            )
        time.sleep(POLL_SECONDS)


def is_of(declared: Manifest, live: Manifest) -> bool:
    """Return whether a live Deployment already has the program's pod template.

    It has after an interrupted takeover. Its pods must not be released again: the next ReplicaSet would adopt
    them.
    """
    return _holds(declared["spec"]["template"], live["spec"]["template"])


def end_pods(namespace: str, cluster: Cluster, report_line: Callable[[str], None]) -> None:
    """Take released pods out of the Service, and delete them once they get no requests.

    Their status is set to not ready, which changes the endpoints and not the pod. Removing the Service's
    labels would change the pod's own proxy at once (on the lab 1 of 7,400 requests was lost). The kubelet
    resets the status every 10 seconds, so it is written repeatedly.
    """
    every = cluster.every("v1", "Pod", namespace, selector=RELEASED)
    pods = [each for each in every if not each["metadata"].get("ownerReferences")]
    if not pods:
        return
    report_line(f"take {len(pods)} old pods out of the Service, and end them after {DRAIN_SECONDS} s")
    deadline = time.monotonic() + DRAIN_SECONDS
    while time.monotonic() < deadline:
        for each in pods:
            cluster.patch_status(each, UNREADY)
        time.sleep(POLL_SECONDS)
    for each in pods:
        cluster.delete(each)


def _holds(declared: Any, live: Any) -> bool:  # noqa: ANN401 (nested plain data)
    """Return whether every declared field is live."""
    if isinstance(declared, dict) and isinstance(live, dict):
        return all(_holds(value, live.get(key)) for key, value in declared.items())
    if isinstance(declared, list) and isinstance(live, list):
        return len(declared) == len(live) and all(map(_holds, declared, live))
    return bool(declared == live)


def _owned(
    api_version: str, kind: str, owners: Mapping[str, set[str]], namespace: str, cluster: Cluster
) -> list[Manifest]:
    """List the objects of a kind that have one of these owners."""
    return [
        each
        for each in cluster.every(api_version, kind, namespace)
        if any(
            owner["name"] in owners.get(owner["kind"], ())
            for owner in each["metadata"].get("ownerReferences", ())
        )
    ]
