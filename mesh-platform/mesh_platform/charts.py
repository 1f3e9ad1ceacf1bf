"""Helm charts, from a folder or a repository."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes.helm.v4 import Chart, RepositoryOptsArgs

from mesh_platform.mesh import Mesh

Values = Mapping[str, object]
"""Helm values."""


@dataclass(frozen=True, kw_only=True)
class ChartSource:
    """The settings of a part that is installed from charts."""

    folder: str = ""
    """Folder with the part's charts, each in a folder of its own. Either this or `repository`."""
    repository: str = ""
    """URL of the Helm repository that publishes them."""
    version: str = ""
    """Version of the charts in the repository, for example 1.31.0."""

    def issues(self) -> list[str]:
        """Return contradictions in these settings, with their fixes."""
        if bool(self.folder) == bool(self.repository):
            return ["set exactly one of folder and repository, the source of the charts"]
        if self.repository and not self.version:
            return ["set version with repository: without it, an update may install another chart"]
        return []

    def chart(
        self, name: str, *, release: str, values: Values, mesh: Mesh, after: Sequence[pulumi.Resource] = ()
    ) -> Chart:
        """Install one of the charts in the mesh's own namespace."""
        return Chart(
            name,
            name=release,
            chart=f"{self.folder}/{name}" if self.folder else name,
            version=self.version if self.repository else None,
            repository_opts=RepositoryOptsArgs(repo=self.repository) if self.repository else None,
            namespace=mesh.namespace,
            values=dict(values),
            opts=mesh.options(*after),
        )


def merged(base: Values, over: Values) -> Values:
    """Merge Helm values into others, key by key, as Helm does."""
    result = dict(base)
    for key, value in over.items():
        below = result.get(key)
        deeper = isinstance(below, Mapping) and isinstance(value, Mapping)
        result[key] = merged(below, value) if deeper else value  # type: ignore[arg-type]  # both are mappings
    return result
