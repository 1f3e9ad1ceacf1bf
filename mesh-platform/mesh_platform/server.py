"""The Deployment of an observer: one replica, with few rights and a read-only file system."""

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from mesh_platform.mesh import Mesh


def labels(name: str) -> dict[str, str]:
    """Return the labels of a program's objects."""
    return {"app.kubernetes.io/name": name}


def deployed(
    name: str,
    mesh: Mesh,
    container: Mapping[str, Any],
    *,
    user: int,
    account: str = "",
    volumes: list[dict[str, Any]] | None = None,
    annotations: Mapping[str, str] | None = None,
    after: tuple[pulumi.Resource, ...] = (),
) -> kubernetes.apps.v1.Deployment:
    """Create the Deployment.

    Args:
        name: of the Deployment and its container.
        mesh: where it runs.
        container: what is special about the container: image, arguments, ports, probes, resources, mounts.
        user: id of the user and group that its program runs as.
        account: the ServiceAccount whose token it gets; empty: the namespace's own, and no token.
        volumes: what the container mounts.
        annotations: of its pods.
        after: what must be there before.
    """
    pod: dict[str, Any] = {
        "automountServiceAccountToken": bool(account),
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": user,
            "runAsGroup": user,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": name,
                "imagePullPolicy": "IfNotPresent",
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
                **container,
            }
        ],
        "volumes": volumes or [],
    }
    if account:
        pod["serviceAccountName"] = account
    return kubernetes.apps.v1.Deployment(
        name,
        metadata={"name": name, "namespace": mesh.namespace, "labels": labels(name)},
        spec={
            "replicas": 1,
            # Only one pod can use a port of the node.
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": labels(name)},
            "template": {
                "metadata": {
                    "labels": {**labels(name), "sidecar.istio.io/inject": "false"},
                    "annotations": dict(annotations or {}),
                },
                "spec": pod,
            },
        },
        opts=mesh.options(*after),
    )


def service(name: str, program: str, mesh: Mesh, **ports: int) -> kubernetes.core.v1.Service:
    """Create a Service for the cluster alone; ports by name, with `_` for `-`."""
    return kubernetes.core.v1.Service(
        name,
        metadata={"name": name, "namespace": mesh.namespace, "labels": labels(program)},
        spec={
            "type": "ClusterIP",
            "selector": labels(program),
            "ports": [
                {"name": port_name.replace("_", "-"), "port": port, "targetPort": port}
                for port_name, port in ports.items()
            ],
        },
        opts=mesh.options(),
    )
