"""Prometheus with the figures of every proxy: from an image, from the public chart, or one that is there."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
import yaml

from mesh_platform.charts import ChartSource, Values, merged
from mesh_platform.mesh import SYSTEM, Mesh
from mesh_platform.scraping import configuration

NAME = "prometheus"
PORT = 9090
LABELS = {"app.kubernetes.io/name": NAME}
USER = 65534

CHARTS_JOBS = (
    "kubernetes-api-servers",
    "kubernetes-nodes",
    "kubernetes-nodes-cadvisor",
    "kubernetes-pods",
    "kubernetes-pods-slow",
    "kubernetes-service-endpoints",
    "kubernetes-service-endpoints-slow",
    "kubernetes-services",
    "prometheus",
    "prometheus-pushgateway",
)
"""What the chart would scrape by itself, of version 28.13.0; none of it is of the mesh."""


@dataclass(frozen=True, kw_only=True)
class Prometheus(ChartSource):
    """The key `prometheus`."""

    url: str = ""
    """Of a Prometheus that scrapes the mesh already: nothing is installed."""
    image: str = ""
    """An image of Prometheus alone, for one replica whose figures go with its pod; instead of a chart."""
    interval: str = "15s"
    """Between two scrapes, in Prometheus' form. A canary's window should hold five of them."""
    retention: str = "6h"
    """How long figures are kept."""
    stock_envoy: bool = False
    """The mesh's proxies lack Istio's own filters: their figures of each subset become Istio's metrics."""
    values: Values = field(default_factory=dict)
    """Further Helm values for the chart."""

    def faults(self) -> list[str]:
        """What contradicts itself in these settings, with what mends it."""
        given = [name for name in ("url", "image", "folder", "repository") if getattr(self, name)]
        if len(given) != 1:
            return ["set exactly one of url, image, folder and repository: where Prometheus comes from"]
        return [] if self.url or self.image else super().faults()


def install(wanted: Prometheus, mesh: Mesh) -> None:
    """Make Prometheus, unless there is one, and tell where it is."""
    pulumi.export("prometheus", wanted.url or f"{SYSTEM}/{NAME}:{PORT}")
    if wanted.url:
        return
    rights = _may_list_pods(mesh)
    scraped = configuration(interval=wanted.interval, stock_envoy=wanted.stock_envoy)
    if wanted.image:
        _deployed(wanted, mesh, yaml.safe_dump(scraped, sort_keys=False), rights)
    else:
        values = merged(_chart_values(wanted, scraped), wanted.values)
        wanted.chart(NAME, release=NAME, values=values, mesh=mesh, after=rights)


def _may_list_pods(mesh: Mesh) -> list[pulumi.Resource]:
    """Give Prometheus an account that may see pods, to find the proxies among them, and nothing else."""
    account = kubernetes.core.v1.ServiceAccount(
        NAME,
        metadata={"name": NAME, "namespace": mesh.namespace, "labels": LABELS},
        opts=mesh.options(),
    )
    name = f"{NAME}-{SYSTEM}"
    role = kubernetes.rbac.v1.ClusterRole(
        NAME,
        metadata={"name": name, "labels": LABELS},
        rules=[{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}],
        opts=mesh.options(),
    )
    binding = kubernetes.rbac.v1.ClusterRoleBinding(
        NAME,
        metadata={"name": name, "labels": LABELS},
        role_ref={"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
        subjects=[{"kind": "ServiceAccount", "name": NAME, "namespace": mesh.namespace}],
        opts=mesh.options(role, account),
    )
    return [account, binding]


def _deployed(wanted: Prometheus, mesh: Mesh, scraped: str, after: list[pulumi.Resource]) -> None:
    """Make one replica with its figures in the pod."""
    metadata = {"name": NAME, "namespace": mesh.namespace, "labels": LABELS}
    file = kubernetes.core.v1.ConfigMap(
        NAME, metadata=metadata, data={"prometheus.yml": scraped}, opts=mesh.options()
    )
    # Prometheus reads its configuration when it starts: another one is another pod.
    digest = hashlib.sha256(scraped.encode()).hexdigest()[:16]
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
                "spec": _pod(wanted.image, wanted.retention),
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


def _chart_values(wanted: Prometheus, scraped: dict[str, Any]) -> Values:
    """Values of prometheus-community's chart: the server alone, with our rights and our configuration."""
    (job,) = scraped["scrape_configs"]
    ours = {job["job_name"]: {key: value for key, value in job.items() if key != "job_name"}}
    others = ("alertmanager", "kube-state-metrics", "prometheus-node-exporter", "prometheus-pushgateway")
    return {
        **{name: {"enabled": False} for name in others},
        # The chart's own role may read nodes, Services and ConfigMaps of all namespaces.
        "rbac": {"create": False},
        "serviceAccounts": {"server": {"create": False, "name": NAME}},
        "server": {
            "fullnameOverride": NAME,
            "service": {"servicePort": PORT},
            "persistentVolume": {"enabled": False},
            "retention": wanted.retention,
            "global": scraped["global"],
            "podLabels": {"sidecar.istio.io/inject": "false"},
            "containerSecurityContext": {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            },
        },
        "scrapeConfigs": {**{name: {"enabled": False} for name in CHARTS_JOBS}, **ours},
    }
