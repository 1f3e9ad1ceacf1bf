"""Tracing in the whole mesh: which share of the requests, and to which of the mesh's providers."""

from dataclasses import dataclass

from pulumi_kubernetes.apiextensions import CustomResource

from mesh_platform.mesh import Mesh


@dataclass(frozen=True, kw_only=True)
class Tracing:
    """The key `tracing`."""

    sampling: float = 0.0
    """Percent of the requests that are traced, above 0 to 100, decided where a request enters the mesh."""
    provider: str = "jaeger"
    """Name among `extensionProviders` in the mesh's configuration; the part `istio` has `jaeger` there."""

    def issues(self) -> list[str]:
        """What contradicts itself in these settings, with what mends it."""
        if not 0 < self.sampling <= 100:  # noqa: PLR2004  # percent
            return [
                f"sampling: {self.sampling} is no percentage above 0 to 100; without tracing, leave it out"
            ]
        return []


def install(wanted: Tracing, mesh: Mesh) -> None:
    """Make the Telemetry resource, which holds in the mesh where it stands in the mesh's own namespace."""
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
