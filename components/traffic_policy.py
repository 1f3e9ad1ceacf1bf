"""TrafficPolicy: subsets, gateway and routes of a service, in the order that loses no request."""

from collections.abc import Mapping, Sequence

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource

from components import routing, servers, workload
from components.matching import Spec
from components.model.service import Service
from components.model.stack import Stack


class TrafficPolicy(pulumi.ComponentResource):
    """A DestinationRule for each version, a Gateway unless there is one already, and a VirtualService.

    A subset comes after its pods and before the route that needs it. Pulumi makes and changes before it
    deletes, and deletes the other way round: a version loses its route, then its subset, then its pods.
    """

    def __init__(
        self,
        args: Service,
        *,
        namespace: pulumi.Input[str],
        stack: Stack,
        ports: Sequence[pulumi.Resource],
        workloads: Mapping[str, pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        # The weights stay out of the component's own inputs, or a weight change would show as two changes.
        super().__init__("mesh:index:TrafficPolicy", args.app.name, {"app": args.app.name}, opts)
        self._args, self._namespace = args, namespace
        subsets = [
            self._object(
                "DestinationRule", args.workload(version), routing.destination_rule(args, version), [pods]
            )
            for version, pods in workloads.items()
        ]
        needs: list[pulumi.Resource] = [*subsets]
        if args.owns_gateway:
            needs.append(self._object("Gateway", args.app.name, servers.gateway(args, stack.ingress), ports))
        self._object("VirtualService", args.app.name, routing.virtual_service(args), needs)
        self.register_outputs({"hosts": list(args.hosts), "subsets": list(workloads)})

    def _object(
        self, kind: str, name: str, spec: Spec, depends_on: Sequence[pulumi.Resource]
    ) -> CustomResource:
        return CustomResource(
            name,
            # Pulumi cannot change the version of a custom resource later, not even by an alias (K#1668).
            api_version="networking.istio.io/v1",
            kind=kind,
            metadata={
                "name": name,
                "namespace": self._namespace,
                "labels": workload.labels(self._args.app),
                # The stack owns these objects whole: what a hand changes is drift, not a conflict (K#2542).
                "annotations": {"pulumi.com/patchForce": "true"},
            },
            spec=spec,
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(depends_on)),
        )
