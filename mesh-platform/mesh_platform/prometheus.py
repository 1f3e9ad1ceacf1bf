"""Prometheus with the metrics of every proxy: from an image, from its public chart, or an existing one."""

from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from mesh_platform.both_ends import rules
from mesh_platform.charts import ChartSource, Values, merged
from mesh_platform.mesh import SYSTEM, Mesh
from mesh_platform.prometheus_server import LABELS, NAME, PORT, deployed
from mesh_platform.scraping import configuration

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
"""The default jobs of the chart, version 28.13.0; none of them scrapes the mesh."""


@dataclass(frozen=True, kw_only=True)
class Prometheus(ChartSource):
    """The key `prometheus`."""

    version: str = "28.13.0"
    """Of the public chart; the default is that of Istio 1.31's own addon."""
    url: str = ""
    """Of an existing Prometheus that scrapes the mesh; nothing is installed."""
    image: str = ""
    """An image, for one replica that stores its metrics in the pod; instead of a chart."""
    interval: str = "15s"
    """Between two scrapes, in Prometheus' format. A canary's window should contain five of them."""
    retention: str = "6h"
    """How long metrics are stored."""
    stock_envoy: bool = False
    """Whether the proxies lack Istio's filters: then Envoy's metrics of subsets become Istio's metrics."""
    values: Values = field(default_factory=dict)
    """Further Helm values for the chart."""

    def issues(self) -> list[str]:
        """Return contradictions in these settings, with their fixes."""
        given = [name for name in ("url", "image", "folder", "repository") if getattr(self, name)]
        if len(given) != 1:
            return ["set exactly one of url, image, folder and repository"]
        return [] if self.url or self.image else super().issues()


def query(wanted: Prometheus | None) -> str:
    """Return the URL for Kiali and Grafana: of the existing one, or of this project's."""
    return wanted.url if wanted and wanted.url else f"http://{NAME}.{SYSTEM}:{PORT}"


def install(wanted: Prometheus, mesh: Mesh) -> None:
    """Install Prometheus unless there is one, and export its address."""
    pulumi.export("prometheus", wanted.url or f"{SYSTEM}/{NAME}:{PORT}")
    if wanted.url:
        return
    rights = _may_list_pods(mesh)
    scraped = configuration(interval=wanted.interval, stock_envoy=wanted.stock_envoy)
    recorded = rules() if wanted.stock_envoy else {}
    if wanted.image:
        deployed(mesh, scraped, recorded, image=wanted.image, retention=wanted.retention, after=rights)
    else:
        values = merged(_chart_values(wanted, scraped, recorded), wanted.values)
        wanted.chart(NAME, release=NAME, values=values, mesh=mesh, after=rights)


def _may_list_pods(mesh: Mesh) -> list[pulumi.Resource]:
    """Create an account that may read pods, to find the proxies, and nothing else."""
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


def _chart_values(wanted: Prometheus, scraped: dict[str, Any], recorded: dict[str, Any]) -> Values:
    """Return the values of prometheus-community's chart: only the server, our rights and configuration."""
    (job,) = scraped["scrape_configs"]
    own = {job["job_name"]: {key: value for key, value in job.items() if key != "job_name"}}
    others = ("alertmanager", "kube-state-metrics", "prometheus-node-exporter", "prometheus-pushgateway")
    return {
        **{name: {"enabled": False} for name in others},
        # The chart's own role may read nodes, Services and ConfigMaps in all namespaces.
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
        "scrapeConfigs": {**{name: {"enabled": False} for name in CHARTS_JOBS}, **own},
        "serverFiles": {"recording_rules.yml": recorded},
    }
