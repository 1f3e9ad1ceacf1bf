"""ServicePolicy: the base of TrafficPolicy and GatewayApiPolicy."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.core.v1 import Service as KubernetesService

from components.manifests.route_match import Spec
from components.model.service import Service
from components.model.stack import Stack
from components.resources.custom_resource import mesh_object
from components.resources.protection import Protection
from components.rollout.handover import Handover

ISTIO: Final = "networking.istio.io/v1"

Workloads = Mapping[str, Sequence[pulumi.Resource]]
"""By version, the resources that must exist before its subset."""


class ServicePolicy(pulumi.ComponentResource):
    """The Gateways, routes and policies of a service, expressed by one API."""

    API_VERSION: ClassVar[str]
    """Of Gateways and routes."""

    def __init__(
        self,
        args: Service,
        *,
        stack: Stack,
        handover: Handover,
        ports: Sequence[KubernetesService],
        workloads: Workloads,
        protection: Protection,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        # Without the weights: as inputs of the component they would make a weight change show as two changes.
        super().__init__(f"mesh:index:{type(self).__name__}", args.app.name, {"app": args.app.name}, opts)
        self._args, self._stack, self._handover, self._protection = args, stack, handover, protection
        handover.guard(*self._create(ports, workloads))
        self.register_outputs({"hosts": list(args.hosts), "versions": list(workloads)})

    def _create(self, ports: Sequence[KubernetesService], workloads: Workloads) -> Sequence[CustomResource]:
        """Create all objects; returns the routes that send requests to versions."""
        raise NotImplementedError

    def _object(
        self,
        kind: str,
        name: str,
        spec: pulumi.Input[Spec],
        after: Sequence[pulumi.Resource],
        *,
        namespace: str | None = None,
        kept: pulumi.ResourceOptions | None = None,
        hooks: pulumi.ResourceHookBinding | None = None,
    ) -> CustomResource:
        return mesh_object(
            ISTIO if kind == "DestinationRule" else self.API_VERSION,
            kind,
            name,
            spec,
            app=self._args.app,
            namespace=namespace or self._stack.namespace.name,
            parent=self,
            after=after,
            kept=kept or self._protection.of(),
            hooks=hooks,
        )
