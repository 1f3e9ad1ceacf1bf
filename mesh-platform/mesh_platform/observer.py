"""Settings of an observer: an existing one, one from an image, or one from its public chart."""

from dataclasses import dataclass, field
from typing import Any

from mesh_platform.charts import ChartSource, Values
from mesh_platform.mesh import SYSTEM


@dataclass(frozen=True, kw_only=True)
class Observer(ChartSource):
    """The settings of a part that observes the mesh."""

    url: str = ""
    """Of an existing one; nothing is installed."""
    image: str = ""
    """Its image, for one replica with this project's own objects; instead of a chart."""
    loopback_port: int = 0
    """With `image`: its port on the node's 127.0.0.1. 0: it can be reached in the cluster only."""
    values: Values = field(default_factory=dict)
    """Further Helm values for the chart; with `image`, further configuration of the program."""

    def issues(self) -> list[str]:
        """Return contradictions in these settings, with their fixes."""
        given = [name for name in ("url", "image", "folder", "repository") if getattr(self, name)]
        if len(given) != 1:
            return ["set exactly one of url, image, folder and repository"]
        if self.loopback_port and not self.image:
            return ["loopbackPort needs image: the ports of a chart's pods are set by the chart"]
        return [] if self.url or self.image else super().issues()

    def address(self, service: str, port: int, path: str = "") -> str:
        """Its address: a URL, or the Service as NAMESPACE/NAME:PORT if only the cluster can reach it."""
        if self.url:
            return self.url
        if self.loopback_port:
            return f"http://127.0.0.1:{self.loopback_port}{path}"
        return f"{SYSTEM}/{service}:{port}"

    def ports(self, **ports: int) -> list[dict[str, Any]]:
        """Return the container's ports by name; the first is the one for `loopback_port`."""
        found: list[dict[str, Any]] = [
            {"name": name.replace("_", "-"), "containerPort": port} for name, port in ports.items()
        ]
        if self.loopback_port:
            found[0] |= {"hostPort": self.loopback_port, "hostIP": "127.0.0.1"}
        return found
