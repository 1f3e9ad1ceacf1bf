"""Rules about the ways in: hosts and ports, of one service and of all that share an ingress."""

from collections.abc import Iterator
from itertools import count

from components.faults import Fault, Message, Path, assign
from components.messages import (
    HOST_TWICE,
    HOSTS_OVERLAP,
    MESH_NEEDS_HOSTS,
    NODE_PORT_TWICE,
    PORT_TWICE,
    PROXY_PORT,
)
from components.model.names import PROXY_PORTS
from components.model.service import Service
from components.model.stack import Stack
from components.schema import encode


def ports_are_distinct(stack: Stack, at: Path) -> Iterator[Fault]:
    """The ports of the gateway, of its pods and of the nodes are each taken once."""
    ports = {each.gateway.port: str(place / "gateway" / "port") for place, each in stack.placed.items()}
    targets: dict[int, str] = {}
    node_ports: dict[int, str] = {}
    for nth, extra in enumerate(stack.ingress.extra_ports):
        here = at / "ingress" / "extraPorts" / nth
        yield from _taken(PORT_TWICE, here / "port", extra.port, ports)
        yield from _taken(PORT_TWICE, here / "targetPort", extra.target_port, targets)
        yield from _taken(NODE_PORT_TWICE, here / "nodePort", extra.node_port, node_ports)
        if extra.target_port in PROXY_PORTS:
            yield PROXY_PORT.at(here / "targetPort", extra.target_port)


def hosts_are_distinct(stack: Stack, _: Path) -> Iterator[Fault]:
    """Each host leads to one service, on the extra ports too. A host and a `*` that covers it stay apart."""
    taken: dict[tuple[str, int], Path] = {}
    extra = [each.port for each in stack.ingress.extra_ports]
    for place, service in stack.placed.items():
        for nth, host in enumerate(service.gateway.hosts):
            ways = [(host, port) for port in (service.gateway.port, *extra)]
            here = place / "gateway" / "hosts" / nth
            if found := next((way for way in ways if way in taken), None):
                words = {"port": found[1], "other": taken[found]}
                yield HOST_TWICE.at(here, host, example=f"{service.app.name}.example.com", **words)
            taken |= {way: here for way in ways if way not in taken}


def hosts_are_apart(service: Service, at: Path) -> Iterator[Fault]:
    """Istio's webhook refuses a VirtualService of which one host covers another."""
    hosts = service.gateway.hosts
    for nth, host in enumerate(hosts):
        for other in hosts:
            if other != host and other.startswith("*") and host.endswith(other[1:]):
                yield HOSTS_OVERLAP.at(at / "gateway" / "hosts" / nth, host, other=other)


def mesh_has_hosts(service: Service, at: Path) -> Iterator[Fault]:
    """One VirtualService for gateway and mesh is what lets a weight change touch one object."""
    if service.mesh and "*" in service.gateway.hosts:
        mend = assign(at / "gateway" / "hosts", [f"{service.app.name}.example.com"])
        yield MESH_NEEDS_HOSTS.at(at / "gateway" / "hosts", encode(service.gateway.hosts), mend=mend)


def _taken(message: Message, at: Path, port: int, taken: dict[int, str]) -> Iterator[Fault]:
    if port in taken:
        free = next(other for other in count(port + 1) if other not in taken)
        yield message.at(at, port, port=port, other=taken[port], free=free)
    taken.setdefault(port, str(at))
