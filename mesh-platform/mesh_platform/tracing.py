"""Tracing in the whole mesh: the share of the requests, and the provider."""

from dataclasses import dataclass

from pulumi_kubernetes.apiextensions import CustomResource

from mesh_platform.mesh import Mesh


@dataclass(frozen=True, kw_only=True)
class Tracing:
    """The key `tracing`."""

    sampling: float = 0.0
    """Percent of the requests that are traced, above 0 to 100; decided when a request enters the mesh."""
    provider: str = "jaeger"
    """A name of `extensionProviders` in the mesh's configuration; the part `istio` adds `jaeger`."""

    def issues(self) -> list[str]:
        """Return contradictions in these settings, with their fixes."""
        if not 0 < self.sampling <= 100:  # noqa: PLR2004  # percent
            return [f"sampling: {self.sampling} is no percentage above 0; to disable tracing, remove the key"]
        return []


def install(wanted: Tracing, mesh: Mesh) -> None:
    """Create the Telemetry resource; in the mesh's own namespace it applies to the whole mesh."""
    CustomResource(
        "tracing",
        api_version="telemetry.istio.io/v1",
        kind="Telemetry",
        metadata={"name": "tracing", "namespace": mesh.namespace},
        spec={
            "tracing": [
                {"providers": [{"name": wanted.provider}], "randomSamplingPercentage": wanted.sampling}
            ]
        },
        opts=mesh.options(),
    )
