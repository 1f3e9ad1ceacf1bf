"""MeshIngress: the Service of the extra ports, and the URLs of the services."""

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
    """The ingress. The gateway's own Service is read, also in previews, and never changed."""

    ports: Sequence[KubernetesService]
    """The Services that a Gateway needs: Istio finds the ports of its servers in them."""

    def __init__(
        self, args: Stack, *, protection: Protection, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        known = pulumi.ResourceOptions(aliases=[pulumi.Alias(name=each) for each in args.former_names])
        props = {"service": args.ingress.service}
        super().__init__("mesh:index:MeshIngress", "ingress", props, known.merge(opts))
        self._args = args
        child = pulumi.ResourceOptions(parent=self)
        # Named after their keys, which the engine's error contains if one does not exist.
        self._service = KubernetesService.get("mesh-app:ingress.service", args.ingress.service, opts=child)
        node = args.ingress.node
        self._node = Node.get("mesh-app:ingress.node", node, opts=child) if node else None
        self.ports = [self._extra_ports(protection)] if args.ingress.extra_ports else []
        self.register_outputs({"extraPorts": [extra.node_port for extra in args.ingress.extra_ports]})

    def _extra_ports(self, protection: Protection) -> KubernetesService:
        """Create the Service of the extra ports. An existing one is not renamed.

        A rename would create a second object before it deletes the first, and both cannot have one node port.
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
        """Return the URL to open."""
        return self.urls(service)[ingress.opened(service, shown(service, self._args))]

    def urls(self, service: Service) -> pulumi.Output[dict[str, str]]:
        """Return the URLs of a service by port: those of the Gateway, then those of the extra ports."""
        # Nested, since Output.all would convert the provider's objects to dicts without attributes.
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
    arrivals = [(each, _arrival(each, args, spec)) for each in shown(service, stack)]
    balanced = ingress.balanced_address(((status or {}).get("load_balancer") or {}).get("ingress") or ())
    fixed = args.address or ingress.node_address((node or {}).get("addresses") or ())
    if fixed is None and args.node is not None:
        raise ConfigError([NO_NODE_ADDRESS.at(Path() / "ingress" / "node", args.node)])
    address = fixed or balanced
    if address is None:
        raise ConfigError([NO_ADDRESS.at(Path() / "ingress" / "address", None, service=args.service)])
    urls = {}
    for entry, port in arrivals:
        number = (port.get("node_port") if fixed else None) or port["port"]
        urls[str(entry.port)] = ingress.url(address, int(number), service.app.shown_path, entry.scheme)
    # A load balancer does not serve the stack's own node ports.
    return urls | (ingress.extra_urls(service, args, fixed) if fixed else {})


def _arrival(entry: EntryPoint, args: Ingress, spec: ingress.Seen) -> ingress.Seen:
    port = ingress.arrival(spec["ports"], entry.port)
    if port is None:
        ports = ", ".join(f"{each.get('name')}={each['port']}" for each in spec["ports"])
        words = {"service": args.service, "port": entry.port, "ports": ports}
        raise ConfigError([NO_INGRESS_PORT.at(entry.port_place, entry.port, **words)])
    return port
