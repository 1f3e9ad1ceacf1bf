"""Kiali, which draws the mesh: from an image, from its public chart, or there already. It only looks."""

from dataclasses import dataclass

import pulumi

from mesh_platform.charts import Values, merged
from mesh_platform.jaeger import Jaeger
from mesh_platform.kiali_server import NAME, PORT, WEB_ROOT, deployed
from mesh_platform.mesh import Mesh
from mesh_platform.observer import Observer

CHART = "kiali-server"


@dataclass(frozen=True, kw_only=True)
class Kiali(Observer):
    """The key `kiali`; `values` have the form of Kiali's configuration, with image and chart alike."""


def install(wanted: Kiali, mesh: Mesh, jaeger: Jaeger | None) -> None:
    """Make Kiali, unless there is one, and tell where it is."""
    pulumi.export(NAME, wanted.address(NAME, PORT, WEB_ROOT))
    if wanted.url:
        return
    configuration = merged(_configuration(jaeger), wanted.values)
    if wanted.image:
        deployed(wanted, mesh, configuration)
    else:
        wanted.chart(CHART, release=NAME, values=configuration, mesh=mesh)


def _configuration(jaeger: Jaeger | None) -> Values:
    """What Kiali is told besides its own defaults, among them Prometheus at prometheus.istio-system:9090."""
    tracing: Values = {"enabled": False}
    if jaeger is not None:
        tracing = {"enabled": True, "in_cluster_url": jaeger.query, "use_grpc": not jaeger.url}
    return {
        "deployment": {"view_only_mode": True},
        "external_services": {"grafana": {"enabled": False}, "tracing": tracing},
    }
