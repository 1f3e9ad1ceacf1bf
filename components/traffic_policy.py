"""TrafficPolicy: subsets, gateway and routes of a service, in the order that loses no request."""

from collections.abc import Mapping, Sequence

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource

from components import routing, servers
from components.handover import Handover
from components.matching import Spec
from components.mesh_object import mesh_object
from components.model.service import Service
from components.model.stack import Stack
from components.protection import Protection


class TrafficPolicy(pulumi.ComponentResource):
    """A DestinationRule for each version, a Gateway unless there is one already, and a VirtualService.

    A subset comes after its pods and before the route that needs it. Pulumi makes and changes before it
    deletes, and deletes the other way round: a version loses its route, then its subset, then its pods. In
    between, the handover waits until every proxy has followed.
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
        # The weights stay out of the component's own inputs, or a weight change would show as two changes.
        super().__init__("mesh:index:TrafficPolicy", args.app.name, {"app": args.app.name}, opts)
        self._args, self._namespace = args, stack.namespace.name
        subsets = [
            self._object(
                "DestinationRule",
                args.workload(version),
                routing.destination_rule(args, version),
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
        spec = routing.virtual_service(args)
        kept, hooks = protection.of(), handover.of_routes(args.app.name)
        handover.guard(self._object("VirtualService", args.app.name, spec, needs, kept=kept, hooks=hooks))
        self.register_outputs({"hosts": list(args.hosts), "subsets": list(workloads)})

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
