"""What the values of a stack file must say together. A rule yields its faults and knows no other rule."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from typing import Final

from components.faults import Fault, Message, Path, assign, command
from components.messages import (
    HOSTS_OVERLAP,
    NAME_TOO_LONG,
    NAMESPACE_TAKEN,
    NODE_PORT_TWICE,
    PORT_TWICE,
    SIDECAR_IGNORED,
    SIDECAR_PORT,
    WEIGHT_SUM,
    WEIGHT_WITHOUT_VERSION,
)
from components.model.service import Service
from components.model.stack import Stack
from components.schema import Broken, UnsoundError

LONGEST_NAME: Final = 63
WHOLE: Final = 100
SIDECAR_PORTS: Final = frozenset({*range(15000, 15010), 15020, 15021, 15053, 15090})
"""https://istio.io/latest/docs/ops/deployment/application-requirements/"""


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
        if extra.target_port in SIDECAR_PORTS:
            yield SIDECAR_PORT.at(here / "targetPort", extra.target_port)


def weights_have_versions(service: Service, at: Path) -> Iterator[Fault]:
    """A route to a version that does not run cannot be written."""
    known = ", ".join(service.versions)
    for name in service.weights.keys() - service.versions.keys():
        yield WEIGHT_WITHOUT_VERSION.at(at / "weights" / name, service.weights[name], known=known)


def weights_sum(service: Service, at: Path) -> Iterator[Fault]:
    """Istio only refuses a sum of 0, and takes 90 and 20 for shares of 110."""
    split = service.split
    total = sum(split.values())
    if total == WHOLE or service.weights.keys() - split.keys():
        return
    # The version with the most traffic gives or takes the difference, which is what was forgotten most often.
    heaviest = max(split, key=lambda name: split[name])
    rest = total - split[heaviest]
    if rest <= WHOLE:
        mend = assign(at / "weights" / heaviest, WHOLE - rest)
    else:
        mend = assign(at / "weights", {name: WHOLE if name == heaviest else 0 for name in split})
    yield WEIGHT_SUM.at(at / "weights", split, total=total, mend=mend)


def names_fit(service: Service, at: Path) -> Iterator[Fault]:
    """Names that are put together stay within what a label holds."""
    for version in service.versions:
        derived = service.workload(version)
        if (excess := len(derived) - LONGEST_NAME) > 0:
            here = at / "versions" / version
            yield NAME_TOO_LONG.at(here, version, derived=derived, length=len(derived), excess=excess)


def hosts_are_apart(service: Service, at: Path) -> Iterator[Fault]:
    """Istio's webhook refuses a VirtualService of which one host covers another."""
    hosts = service.gateway.hosts
    for nth, host in enumerate(hosts):
        for other in hosts:
            if other != host and other.startswith("*") and host.endswith(other[1:]):
                yield HOSTS_OVERLAP.at(at / "gateway" / "hosts" / nth, host, other=other)


def port_is_free(service: Service, at: Path) -> Iterator[Fault]:
    """App and sidecar share the ports of the pod."""
    if service.app.port in SIDECAR_PORTS:
        yield SIDECAR_PORT.at(at / "app" / "port", service.app.port)


OF_STACK: Final[tuple[Callable[[Stack, Path], Iterator[Fault]], ...]] = (
    namespace_is_free,
    sidecars_are_possible,
    ports_are_distinct,
)
OF_SERVICE: Final[tuple[Callable[[Service, Path], Iterator[Fault]], ...]] = (
    weights_have_versions,
    weights_sum,
    names_fit,
    hosts_are_apart,
    port_is_free,
)


def breaches(stack: Stack, at: Path) -> list[Fault]:
    """Hold the stack against every rule. One that meets a value with a fault of its own goes no further."""
    found: list[Fault] = []
    rules = [rule(stack, at) for rule in OF_STACK]
    rules += [rule(service, at) for service in stack.services for rule in OF_SERVICE]
    for rule in rules:
        with suppress(UnsoundError):
            # A value that could not be read has been reported already, and cannot be shown.
            found.extend(fault for fault in rule if not isinstance(fault.value, Broken))
    return found


def _taken(message: Message, at: Path, port: int, taken: dict[int, str]) -> Iterator[Fault]:
    if port in taken:
        free = next(other for other in count(port + 1) if other not in taken)
        yield message.at(at, port, port=port, other=taken[port], free=free)
    taken.setdefault(port, str(at))
