"""Rules about what a stack shares a cluster with: namespaces, sidecars, ports."""

from collections.abc import Iterator
from itertools import count

from components.faults import Fault, Message, Path, assign, command
from components.messages import NAMESPACE_TAKEN, NODE_PORT_TWICE, PORT_TWICE, PROXY_PORT, SIDECAR_IGNORED
from components.model.names import PROXY_PORTS
from components.model.stack import Stack


def namespace_is_free(stack: Stack, at: Path) -> Iterator[Fault]:
    """Keep the stack from owning, and one day deleting, what is not its own."""
    name = stack.namespace.name
    owner = "Kubernetes" if name == "default" or name.startswith("kube-") else "Istio's ingress"
    if owner == "Kubernetes" or name in ("istio-system", stack.ingress.namespace):
        suggestion = stack.services[0].app.name
        yield NAMESPACE_TAKEN.at(
            at / "namespace" / "name", name, name=name, owner=owner, suggestion=suggestion
        )


def sidecars_are_possible(stack: Stack, at: Path) -> Iterator[Fault]:
    """A pod's own label only counts where the namespace does not say no."""
    injection = stack.namespace.injection
    if injection not in ("disabled", "ambient"):
        return
    for service in stack.services:
        for name, version in service.versions.items():
            if version.sidecar:
                here = at / "versions" / name / "sidecar"
                mend = f"{assign(at / 'namespace' / 'injection', 'manual')}, or {command('rm', here)}"
                yield SIDECAR_IGNORED.at(here, version.sidecar, injection=injection, mend=mend)


def ports_are_distinct(stack: Stack, at: Path) -> Iterator[Fault]:
    """The ports of the gateway, of its pods and of the nodes are each taken once."""
    ports = {service.gateway.port: str(at / "gateway" / "port") for service in stack.services}
    targets: dict[int, str] = {}
    node_ports: dict[int, str] = {}
    for nth, extra in enumerate(stack.ingress.extra_ports):
        here = at / "ingress" / "extraPorts" / nth
        yield from _taken(PORT_TWICE, here / "port", extra.port, ports)
        yield from _taken(PORT_TWICE, here / "targetPort", extra.target_port, targets)
        yield from _taken(NODE_PORT_TWICE, here / "nodePort", extra.node_port, node_ports)
        if extra.target_port in PROXY_PORTS:
            yield PROXY_PORT.at(here / "targetPort", extra.target_port)


def _taken(message: Message, at: Path, port: int, taken: dict[int, str]) -> Iterator[Fault]:
    if port in taken:
        free = next(other for other in count(port + 1) if other not in taken)
        yield message.at(at, port, port=port, other=taken[port], free=free)
    taken.setdefault(port, str(at))
