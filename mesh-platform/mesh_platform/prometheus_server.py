"""Prometheus from an image: one replica for the cluster alone, which stores its metrics in the pod."""

import hashlib
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
import yaml

from mesh_platform.mesh import Mesh

NAME = "prometheus"
PORT = 9090
LABELS = {"app.kubernetes.io/name": NAME}
USER = 65534


def deployed(
    mesh: Mesh,
    scraped: dict[str, Any],
    recorded: dict[str, Any],
    *,
    image: str,
    retention: str,
    after: list[pulumi.Resource],
) -> None:
    """Create the server with its configuration and rules, and its Service."""
    files = {
        "prometheus.yml": yaml.safe_dump({**scraped, "rule_files": ["rules.yml"]}, sort_keys=False),
        "rules.yml": yaml.safe_dump(recorded, sort_keys=False),
    }
    metadata = {"name": NAME, "namespace": mesh.namespace, "labels": LABELS}
    file = kubernetes.core.v1.ConfigMap(NAME, metadata=metadata, data=files, opts=mesh.options())
    # Prometheus reads its configuration only when it starts, so a change needs another pod.
    digest = hashlib.sha256("".join(files.values()).encode()).hexdigest()[:16]
    kubernetes.apps.v1.Deployment(
        NAME,
        metadata=metadata,
        spec={
            "replicas": 1,
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": LABELS},
            "template": {
                "metadata": {
                    "labels": {**LABELS, "sidecar.istio.io/inject": "false"},
                    "annotations": {"mesh-platform/configuration": digest},
                },
                "spec": _pod(image, retention),
            },
        },
        opts=mesh.options(file, *after),
    )
    kubernetes.core.v1.Service(
        NAME,
        metadata=metadata,
        spec={
            "type": "ClusterIP",
            "selector": LABELS,
            "ports": [{"name": "http", "port": PORT, "targetPort": PORT}],
        },
        opts=mesh.options(),
    )


def _pod(image: str, retention: str) -> dict[str, Any]:
    return {
        "serviceAccountName": NAME,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": NAME,
                "image": image,
                "imagePullPolicy": "IfNotPresent",
                "args": [
                    "--config.file=/etc/prometheus/prometheus.yml",
                    "--storage.tsdb.path=/data",
                    f"--storage.tsdb.retention.time={retention}",
                    "--storage.tsdb.retention.size=256MB",
                ],
                "ports": [{"name": "http", "containerPort": PORT}],
                "readinessProbe": {
                    "httpGet": {"path": "/-/ready", "port": "http"},
                    "periodSeconds": 1,
                    "failureThreshold": 3,
                },
                "livenessProbe": {
                    "httpGet": {"path": "/-/healthy", "port": "http"},
                    "periodSeconds": 15,
                    "failureThreshold": 4,
                },
                "resources": {
                    "requests": {"cpu": "10m", "memory": "96Mi"},
                    "limits": {"memory": "512Mi"},
                },
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
                "volumeMounts": [
                    {"name": "configuration", "mountPath": "/etc/prometheus", "readOnly": True},
                    {"name": "data", "mountPath": "/data"},
                ],
            }
        ],
        "volumes": [
            {"name": "configuration", "configMap": {"name": NAME}},
            {"name": "data", "emptyDir": {"sizeLimit": "512Mi"}},
        ],
    }
