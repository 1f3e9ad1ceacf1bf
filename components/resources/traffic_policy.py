"""TrafficPolicy: subsets, Gateway and routes of a service, in an order that loses no requests."""

from collections.abc import Mapping, Sequence

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource

from components.manifests import gateway as servers
from components.manifests import virtual_service
from components.manifests.destination_rule import destination_rule
from components.manifests.route_match import Spec
from components.model.service import Service
from components.model.stack import Stack
from components.resources.custom_resource import mesh_object
from components.resources.protection import Protection
from components.rollout.handover import Handover


class TrafficPolicy(pulumi.ComponentResource):
    """A DestinationRule for each version, a Gateway unless an existing one is used, and the VirtualServices.

    A subset is created after its pods and before the route that needs it. Pulumi creates and updates before
    it deletes, and deletes in the opposite order: route, subset, pods. In between, the handover waits for
    every proxy.
    """

    def __init__(
        self,
        args: Service,
        *,
        stack: Stack,
        handover: Handover,
        ports: Sequence[pulumi.Resource],
        workloads: Mapping[str, Sequence[pulumi.Resource]],
        protection: Protection,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        # Without the weights: as inputs of the component they would make a weight change show as two changes.
        super().__init__("mesh:index:TrafficPolicy", args.app.name, {"app": args.app.name}, opts)
        self._args, self._namespace = args, stack.namespace.name
        subsets = [
            self._object(
                "DestinationRule",
                args.workload(version),
                destination_rule(args, version),
                pods,
                kept=protection.of_version(args, version),
                hooks=handover.of_subset(version),
            )
            for version, pods in workloads.items()
        ]
        needs: list[pulumi.Resource] = [*subsets]
        if args.owns_gateway:
            gateway = servers.gateway(args, stack.ingress)
            needs.append(self._object("Gateway", args.app.name, gateway, ports, kept=protection.of()))
        routes = self._routes(stack.mesh_routes(args), needs, handover, protection.of())
        handover.guard(*routes)
        self.register_outputs({"hosts": list(args.hosts), "subsets": list(workloads)})

    def _routes(
        self,
        mesh_routes: str | None,
        needs: Sequence[pulumi.Resource],
        handover: Handover,
        kept: pulumi.ResourceOptions,
    ) -> list[CustomResource]:
        """Create the VirtualService, and before it that of callers in the mesh if it is separate.

        When hosts change from names to `*`, the second object must exist before the first loses these
        callers.
        """
        made: list[CustomResource] = []
        if mesh_routes is not None:
            spec, hooks = (
                virtual_service.mesh_virtual_service(self._args),
                handover.of_routes(mesh_routes, first=False),
            )
            made.append(self._object("VirtualService", mesh_routes, spec, needs, kept=kept, hooks=hooks))
        name = self._args.app.name
        spec = virtual_service.virtual_service(self._args, mesh_apart=mesh_routes is not None)
        hooks = handover.of_routes(name)
        made.append(self._object("VirtualService", name, spec, [*needs, *made], kept=kept, hooks=hooks))
        return made

    def _object(
        self,
        kind: str,
        name: str,
        spec: Spec,
        after: Sequence[pulumi.Resource],
        *,
        kept: pulumi.ResourceOptions,
        hooks: pulumi.ResourceHookBinding | None = None,
    ) -> CustomResource:
        return mesh_object(
            "networking.istio.io/v1",
            kind,
            name,
            spec,
            app=self._args.app,
            namespace=self._namespace,
            parent=self,
            after=after,
            kept=kept,
            hooks=hooks,
        )
