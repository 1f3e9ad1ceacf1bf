"""Count the ready pods of a version."""

import json
from dataclasses import dataclass
from typing import Final

import httpx

from operations.errors import OperationError
from operations.kube.cluster import Cluster
from operations.pulumi_stack.services import MeshService

SECONDS: Final = 5.0
"""Time limit for reading a Deployment."""


@dataclass(frozen=True, kw_only=True)
class Pods:
    """The pods of one version."""

    ready: int
    wanted: int


def pods_of(cluster: Cluster, service: MeshService, version: str) -> Pods | None:
    """Count the pods of a version: 0 if its Deployment does not exist or is not declared.

    None if the cluster does not answer or denies access.
    """
    if version not in service.deployments:
        return Pods(ready=0, wanted=0)
    name = service.deployments[version]
    path = f"/apis/apps/v1/namespaces/{service.namespace}/deployments/{name}"
    try:
        status, body = cluster.get(path, {}, seconds=SECONDS)
    except OperationError:
        return None
    if status == httpx.codes.OK:
        live = json.loads(body)
        ready = live.get("status", {}).get("readyReplicas") or 0
        return Pods(ready=ready, wanted=live["spec"]["replicas"])
    return Pods(ready=0, wanted=0) if status == httpx.codes.NOT_FOUND else None
