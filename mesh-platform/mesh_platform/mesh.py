"""Where parts are installed."""

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

SYSTEM = "istio-system"


@dataclass(frozen=True, kw_only=True)
class Mesh:
    """A cluster and the mesh's own namespace in it."""

    cluster: kubernetes.Provider
    namespace: pulumi.Input[str] = SYSTEM
    """An output if this stack creates the namespace, so that objects in it are created afterwards."""

    def options(self, *after: pulumi.Resource) -> pulumi.ResourceOptions:
        """Return the options of a resource on this cluster that is created after others."""
        return pulumi.ResourceOptions(provider=self.cluster, depends_on=list(after))
