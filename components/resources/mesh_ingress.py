"""MeshIngress: extra ports as a Service of the stack's own, and the URLs at which a service answers."""

from collections.abc import Sequence

import pulumi
from pulumi_kubernetes.core.v1 import Node
from pulumi_kubernetes.core.v1 import Service as KubernetesService

from components.manifests import ingress
from components.manifests.labels import OURS
from components.manifests.listeners import EntryPoint, shown
from components.model.service import Service
from components.model.stack import Ingress, Stack
from components.resources.protection import Protection
from components.schema.issues import Path
from components.schema.messages import NO_ADDRESS, NO_INGRESS_PORT, NO_NODE_ADDRESS
from components.settings.errors import ConfigError


class MeshIngress(pulumi.ComponentResource):
    """The way in. The gateway's own Service is read, in previews too, and never changed."""

    ports: Sequence[KubernetesService]
    """What a Gateway's servers need to be there: Istio finds their listeners by these Services."""

    def __init__(
        self, args: Stack, *, protection: Protection, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        known = pulumi.ResourceOptions(aliases=[pulumi.Alias(name=each) for each in args.former_names])
        props = {"service": args.ingress.service}
        super().__init__("mesh:index:MeshIngress", "ingress", props, known.merge(opts))
        self._args = args
        child = pulumi.ResourceOptions(parent=self)
        # Named by their keys: where one is not there, the engine's error is all that a person sees.
        self._service = KubernetesService.get("mesh-app:ingress.service", args.ingress.service, opts=child)
        node = args.ingress.node
        self._node = Node.get("mesh-app:ingress.node", node, opts=child) if node else None
        self.ports = [self._extra_ports(protection)] if args.ingress.extra_ports else []
        self.register_outputs({"extraPorts": [extra.node_port for extra in args.ingress.extra_ports]})

    def _extra_ports(self, protection: Protection) -> KubernetesService:
        """Open the extra ports. The object keeps the name that it has: under another it would be another one.

        Two of them cannot have one node port, and Pulumi makes the new one first.
        """
        former = [pulumi.Alias(name=each) for each in ingress.former_extra_ports_names(self._args)]
        return KubernetesService(
            "extra-ports",
            metadata={
                "name": ingress.extra_ports_name(self._args),
                "namespace": self._args.ingress.namespace,
                "labels": OURS,
            },
            spec=ingress.extra_ports(self._args.ingress),
            opts=pulumi.ResourceOptions(parent=self, aliases=former, ignore_changes=["metadata.name"]).merge(
                protection.of()
            ),
        )

    def url(self, service: Service) -> pulumi.Output[str]:
        """Show the URL for a person to open."""
        return self.urls(service)[ingress.opened(service, shown(service, self._args))]

    def urls(self, service: Service) -> pulumi.Output[dict[str, str]]:
        """List the URLs of a service by port: the gateway's first, then the extra ones."""
        # One after the other: Output.all would turn what the provider read into dicts without attributes.
        node = self._node.status if self._node else pulumi.Output.from_input(None)
        return self._service.spec.apply(
            lambda spec: self._service.status.apply(
                lambda status: node.apply(lambda seen: _urls(service, self._args, spec, status, seen))
            )
        )


def _urls(
    service: Service,
    stack: Stack,
    spec: ingress.Seen,
    status: ingress.Seen | None,
    node: ingress.Seen | None,
) -> dict[str, str]:
    if not service.outside:
        return ingress.inside_urls(service, stack.namespace.name)
    args = stack.ingress
    arrivals = [(way, _arrival(way, args, spec)) for way in shown(service, stack)]
    balanced = ingress.balanced_address(((status or {}).get("load_balancer") or {}).get("ingress") or ())
    fixed = args.address or ingress.node_address((node or {}).get("addresses") or ())
    if fixed is None and args.node is not None:
        raise ConfigError([NO_NODE_ADDRESS.at(Path() / "ingress" / "node", args.node)])
    address = fixed or balanced
    if address is None:
        raise ConfigError([NO_ADDRESS.at(Path() / "ingress" / "address", None, service=args.service)])
    urls = {}
    for way, port in arrivals:
        number = (port.get("node_port") if fixed else None) or port["port"]
        urls[str(way.port)] = ingress.url(address, int(number), service.app.shown_path, way.scheme)
    # A load balancer knows nothing of the stack's own node ports.
    return urls | (ingress.extra_urls(service, args, fixed) if fixed else {})


def _arrival(way: EntryPoint, args: Ingress, spec: ingress.Seen) -> ingress.Seen:
    port = ingress.arrival(spec["ports"], way.port)
    if port is None:
        ports = ", ".join(f"{each.get('name')}={each['port']}" for each in spec["ports"])
        words = {"service": args.service, "port": way.port, "ports": ports}
        raise ConfigError([NO_INGRESS_PORT.at(way.port_place, way.port, **words)])
    return port
