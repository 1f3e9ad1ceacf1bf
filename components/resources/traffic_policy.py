"""TrafficPolicy: subsets, Gateway and routes of a service, in an order that loses no requests."""

from collections.abc import Sequence

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.core.v1 import Service as KubernetesService

from components.manifests.destination_rule import destination_rule
from components.manifests.gateway import gateway
from components.manifests.virtual_service import mesh_virtual_service, virtual_service
from components.resources.service_policy import ISTIO, ServicePolicy, Workloads


class TrafficPolicy(ServicePolicy):
    """A DestinationRule for each version, a Gateway unless an existing one is used, and the VirtualServices.

    A subset is created after its pods and before the route that needs it. Pulumi creates and updates before
    it deletes, and deletes in the opposite order: route, subset, pods. In between, the handover waits for
    every proxy.
    """

    API_VERSION = ISTIO

    def _create(self, ports: Sequence[KubernetesService], workloads: Workloads) -> list[CustomResource]:
        args = self._args
        subsets = [
            self._object(
                "DestinationRule",
                args.workload(version),
                destination_rule(args, version),
                pods,
                kept=self._protection.of_version(args, version),
                hooks=self._handover.of_subset(version),
            )
            for version, pods in workloads.items()
        ]
        needs: list[pulumi.Resource] = [*subsets]
        if args.owns_gateway:
            needs.append(self._object("Gateway", args.app.name, gateway(args, self._stack.ingress), ports))
        return self._routes(needs)

    def _routes(self, needs: Sequence[pulumi.Resource]) -> list[CustomResource]:
        """Create the VirtualService, and before it that of callers in the mesh if it is separate.

        When hosts change from names to `*`, the second object must exist before the first loses these
        callers.
        """
        made: list[CustomResource] = []
        if (mesh_routes := self._stack.mesh_routes(self._args)) is not None:
            spec, hooks = (
                mesh_virtual_service(self._args),
                self._handover.of_routes(mesh_routes, first=False),
            )
            made.append(self._object("VirtualService", mesh_routes, spec, needs, hooks=hooks))
        name = self._args.app.name
        spec, hooks = (
            virtual_service(self._args, mesh_apart=mesh_routes is not None),
            self._handover.of_routes(name),
        )
        made.append(self._object("VirtualService", name, spec, [*needs, *made], hooks=hooks))
        return made
