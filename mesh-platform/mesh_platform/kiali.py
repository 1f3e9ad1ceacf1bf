"""Kiali, which shows the mesh, read-only: from an image, from its public chart, or an existing one."""

from dataclasses import dataclass

import pulumi

from mesh_platform.charts import Values, merged
from mesh_platform.grafana import Grafana
from mesh_platform.jaeger import Jaeger
from mesh_platform.kiali_server import NAME, PORT, WEB_ROOT, deployed
from mesh_platform.mesh import Mesh
from mesh_platform.observer import Observer

CHART = "kiali-server"


@dataclass(frozen=True, kw_only=True)
class Kiali(Observer):
    """The key `kiali`; `values` are Kiali's own configuration, with an image as with a chart."""

    version: str = "2.27.0"
    """Of the public chart; the default is that of Istio 1.31's own addon."""


@dataclass(frozen=True, kw_only=True)
class Sources:
    """The other parts, whose data Kiali shows."""

    prometheus: str
    """URL."""
    jaeger: Jaeger | None
    grafana: Grafana | None


def install(wanted: Kiali, mesh: Mesh, sources: Sources) -> None:
    """Install Kiali unless there is one, and export its address."""
    pulumi.export(NAME, wanted.address(NAME, PORT, WEB_ROOT))
    if wanted.url:
        return
    configuration = merged(_configuration(sources), wanted.values)
    if wanted.image:
        deployed(wanted, mesh, configuration)
    else:
        wanted.chart(CHART, release=NAME, values=configuration, mesh=mesh)


def _configuration(sources: Sources) -> Values:
    """Return Kiali's configuration, as far as it differs from the default."""
    jaeger, grafana = sources.jaeger, sources.grafana
    return {
        "deployment": {"view_only_mode": True},
        "external_services": {
            "prometheus": {"url": sources.prometheus},
            "tracing": {**_reached(jaeger), "use_grpc": not jaeger.url} if jaeger else {"enabled": False},
            "grafana": _reached(grafana) if grafana else {"enabled": False},
        },
    }


def _reached(observer: Jaeger | Grafana) -> dict[str, object]:
    """Return the URLs for Kiali and for its users, with the keys of Kiali 1 and of Kiali 2."""
    return {
        "enabled": True,
        **dict.fromkeys(("in_cluster_url", "internal_url"), observer.query),
        **(dict.fromkeys(("url", "external_url"), observer.url) if observer.url else {}),
    }
