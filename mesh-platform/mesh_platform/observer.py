"""What looks at the mesh: there already, run from an image alone, or installed from its public chart."""

from dataclasses import dataclass, field
from typing import Any

from mesh_platform.charts import ChartSource, Values
from mesh_platform.mesh import SYSTEM


@dataclass(frozen=True, kw_only=True)
class Observer(ChartSource):
    """The settings that every part has which looks at the mesh."""

    url: str = ""
    """Of one that is there already: nothing is installed."""
    image: str = ""
    """Its image alone, for one replica made of this project's own objects; instead of a chart."""
    loopback_port: int = 0
    """With `image`: port of the node's 127.0.0.1 that leads to it. 0: it is reached in the cluster only."""
    values: Values = field(default_factory=dict)
    """Further Helm values for the chart; with `image`, further configuration of the program."""

    def issues(self) -> list[str]:
        """What contradicts itself in these settings, with what mends it."""
        given = [name for name in ("url", "image", "folder", "repository") if getattr(self, name)]
        if len(given) != 1:
            return ["set exactly one of url, image, folder and repository: where it comes from"]
        if self.loopback_port and not self.image:
            return ["loopbackPort goes with image: a chart's pods have ports of their own"]
        return [] if self.url or self.image else super().issues()

    def address(self, service: str, port: int, path: str = "") -> str:
        """Where it is: a URL, or the Service as NAMESPACE/NAME:PORT where only the cluster reaches it."""
        if self.url:
            return self.url
        if self.loopback_port:
            return f"http://127.0.0.1:{self.loopback_port}{path}"
        return f"{SYSTEM}/{service}:{port}"

    def ports(self, **ports: int) -> list[dict[str, Any]]:
        """The container's ports by name; the first is the one that `loopback_port` leads to."""
        found: list[dict[str, Any]] = [
            {"name": name.replace("_", "-"), "containerPort": port} for name, port in ports.items()
        ]
        if self.loopback_port:
            found[0] |= {"hostPort": self.loopback_port, "hostIP": "127.0.0.1"}
        return found
