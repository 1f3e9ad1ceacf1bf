"""GatewayApiPolicy: the traffic policy of a service, with objects of the Kubernetes Gateway API."""

from collections.abc import Sequence

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.core.v1 import Service as KubernetesService

from components.gateway_api import gateway as gateways
from components.gateway_api import http_route
from components.manifests.ingress import extra_ports_name
from components.manifests.labels import labels
from components.manifests.route_match import Spec
from components.manifests.service import UNAWAITED, service_spec
from components.model.stack import Stack
from components.resources.service_policy import ServicePolicy, Workloads


class GatewayApiPolicy(ServicePolicy):
    """A Service for each version, Gateways on the ingress, and an HTTPRoute; a second one if HTTP redirects.

    A version's Service is created after its pods and before the route that needs it. A version is deleted in
    the opposite order: route, Service, pods. In between, the handover waits for every proxy.
    """

    API_VERSION = f"{gateways.GROUP}/v1"

    def _create(self, ports: Sequence[KubernetesService], workloads: Workloads) -> list[CustomResource]:
        args, stack, ingress = self._args, self._stack, self._stack.ingress.namespace
        before: list[pulumi.Resource] = []
        for version, pods in workloads.items():
            before += self._backend(version, pods)
        for name, spec in gateways.gateways(args, stack).items():
            before.append(
                self._object("Gateway", name, _addressed(spec, stack, ports), ports, namespace=ingress)
            )
        for name, spec in gateways.redirect_gateways(args, stack).items():
            gateway = self._object("Gateway", name, spec, ports, namespace=ingress)
            self._object("HTTPRoute", name, gateways.redirect_route(stack, name), [gateway])
        spec, hooks = http_route.http_route(args, stack), self._handover.of_routes(args.app.name)
        return [self._object("HTTPRoute", args.app.name, spec, before, hooks=hooks)]

    def _backend(self, version: str, pods: Sequence[pulumi.Resource]) -> list[pulumi.Resource]:
        """Create the Service of a version, and its DestinationRule if it has a policy."""
        name, kept = self._args.workload(version), self._protection.of_version(self._args, version)
        service = KubernetesService(
            name,
            metadata={
                "name": name,
                "namespace": self._stack.namespace.name,
                "labels": labels(self._args.app, version),
                "annotations": UNAWAITED,
            },
            spec=service_spec(self._args, version),
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=list(pods), hooks=self._handover.of_subset(version)
            ).merge(kept),
        )
        policy = http_route.destination_rule(self._args, version)
        # Its name differs from that of a subset's rule: a change of `api` needs both for a moment.
        return [
            service,
            *(
                [self._object("DestinationRule", f"{name}-service", policy, [service], kept=kept)]
                if policy
                else []
            ),
        ]


def _addressed(spec: Spec, stack: Stack, ports: Sequence[KubernetesService]) -> pulumi.Input[Spec]:
    """Use the actual name of the extra ports' Service, which differs if an older version created it."""
    declared = extra_ports_name(stack) if ports else ""
    for each in ports:
        return each.metadata["name"].apply(lambda actual: gateways.addressed(spec, declared, actual))
    return spec
