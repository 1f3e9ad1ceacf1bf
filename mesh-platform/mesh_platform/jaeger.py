"""Jaeger, which keeps the traces that the proxies send it: from an image, a chart, or there already."""

from dataclasses import dataclass
from typing import Any

import pulumi

from mesh_platform.charts import Values, merged
from mesh_platform.mesh import SYSTEM, Mesh
from mesh_platform.observer import Observer
from mesh_platform.server import deployed, service

NAME = "jaeger"
COLLECTOR = "jaeger-collector"
"""The Service that proxies send spans to, in OTLP over gRPC; the public chart names it so too."""
QUERY = "jaeger-query"
"""The Service that answers questions; the public chart names it so too."""
OTLP_PORT = 4317
HTTP_PORT = 16686
GRPC_PORT = 16685
HEALTH_PORT = 14269
USER = 10001

CHART: Values = {
    # One program with its traces in memory; a Cassandra is what the chart would bring else.
    "provisionDataStore": {"cassandra": False},
    # Proxies send to the Service's own address; a Service without one they take for a destination as it is.
    "allInOne": {"enabled": True, "service": {"headless": False}},
    "storage": {"type": "memory"},
    **{name: {"enabled": False} for name in ("agent", "collector", "query")},
}


@dataclass(frozen=True, kw_only=True)
class Jaeger(Observer):
    """The key `jaeger`."""

    version: str = "3.4.1"
    """Of the public chart: the last line of versions with one program for all, as its key `allInOne`."""
    traces: int = 5000
    """With `image`: how many traces are kept, in memory; the oldest go first. 20000 of three spans each were
    more than the container's 512 MiB."""

    @property
    def query(self) -> str:
        """Where Kiali asks for traces: over gRPC in the cluster, or by HTTP at a URL."""
        return self.url or f"http://{QUERY}.{SYSTEM}:{GRPC_PORT}/"


def install(wanted: Jaeger, mesh: Mesh) -> None:
    """Make Jaeger, unless there is one, and tell where it is."""
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
        # Go collects its garbage before the limit instead of growing beyond it.
        "env": [{"name": "GOMEMLIMIT", "value": "400MiB"}],
        "resources": {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "512Mi"}},
    }
