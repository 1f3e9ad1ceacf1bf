"""Jaeger, which stores the proxies' traces: from an image, from its public chart, or an existing one."""

from dataclasses import dataclass
from typing import Any

import pulumi

from mesh_platform.charts import Values, merged
from mesh_platform.mesh import SYSTEM, Mesh
from mesh_platform.observer import Observer
from mesh_platform.server import deployed, service

NAME = "jaeger"
COLLECTOR = "jaeger-collector"
"""The Service for spans, in OTLP over gRPC; it has this name in the public chart too."""
QUERY = "jaeger-query"
"""The Service for queries; it has this name in the public chart too."""
OTLP_PORT = 4317
HTTP_PORT = 16686
GRPC_PORT = 16685
HEALTH_PORT = 14269
USER = 10001

CHART: Values = {
    # One program with its traces in memory; by default the chart installs Cassandra.
    "provisionDataStore": {"cassandra": False},
    # Proxies need a Service with an address; they pass requests to a headless one through.
    "allInOne": {"enabled": True, "service": {"headless": False}},
    "storage": {"type": "memory"},
    **{name: {"enabled": False} for name in ("agent", "collector", "query")},
}


@dataclass(frozen=True, kw_only=True)
class Jaeger(Observer):
    """The key `jaeger`."""

    version: str = "3.4.1"
    """Of the public chart: the last one with the key `allInOne`."""
    traces: int = 5000
    """With `image`: how many traces are stored in memory; the oldest are dropped first. 20000 of three spans
    needed more than the container's 512 MiB."""

    @property
    def query(self) -> str:
        """The URL that Kiali uses: gRPC in the cluster, HTTP outside."""
        return self.url or f"http://{QUERY}.{SYSTEM}:{GRPC_PORT}/"


def install(wanted: Jaeger, mesh: Mesh) -> None:
    """Install Jaeger unless there is one, and export its address."""
    pulumi.export("jaeger", wanted.address(QUERY, HTTP_PORT))
    if wanted.image:
        deployed(NAME, mesh, _container(wanted), user=USER)
        service(COLLECTOR, NAME, mesh, grpc_otlp=OTLP_PORT)
        service(QUERY, NAME, mesh, http=HTTP_PORT, grpc=GRPC_PORT)
    elif not wanted.url:
        wanted.chart(NAME, release=NAME, values=merged(CHART, wanted.values), mesh=mesh)


def _container(wanted: Jaeger) -> dict[str, Any]:
    return {
        "image": wanted.image,
        "args": [f"--memory.max-traces={wanted.traces}", "--sampling.strategies-file="],
        "ports": wanted.ports(http=HTTP_PORT, grpc=GRPC_PORT, grpc_otlp=OTLP_PORT, health=HEALTH_PORT),
        "readinessProbe": {"httpGet": {"path": "/", "port": "health"}, "periodSeconds": 1},
        "livenessProbe": {"httpGet": {"path": "/", "port": "health"}, "periodSeconds": 15},
        # Makes Go collect its garbage before the container's limit is reached.
        "env": [{"name": "GOMEMLIMIT", "value": "400MiB"}],
        "resources": {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "512Mi"}},
    }
