"""Rules about the ports and certificates of gateways, of one service and of all on one ingress."""

from collections.abc import Iterator
from itertools import chain, count
from typing import Final

from components.manifests.listeners import HTTPS_PORT, entry_points
from components.model.gateway import Gateway
from components.model.service import Service
from components.model.stack import Stack
from components.model.types import PROXY_PORTS
from components.schema.decode import encode
from components.schema.issues import Issue, Message, Path, assign, command
from components.schema.messages import (
    CERTIFICATE_TWICE,
    GATEWAY_UNUSED,
    MUTUAL_AND_PLAIN,
    NO_OWN_GATEWAY,
    NODE_PORT_TWICE,
    NOT_MUTUAL,
    PORT_TWICE,
    PORT_UNUSED,
    PROXY_PORT,
    REDIRECT_ASTRAY,
    TWO_PROTOCOLS,
)

HTTP_PORT: Final = 80


def ports_are_distinct(stack: Stack, at: Path) -> Iterator[Issue]:
    """The ports of the gateways, of their pods and of the nodes are each taken once."""
    taken = {
        way.port: str(way.port_place)
        for place, each in stack.placed.items()
        for way in entry_points(each, place)
    }
    targets: dict[int, str] = {}
    node_ports: dict[int, str] = {}
    for nth, extra in enumerate(stack.ingress.extra_ports):
        here = at / "ingress" / "extraPorts" / nth
        yield from _taken(PORT_TWICE, here / "port", extra.port, taken)
        yield from _taken(PORT_TWICE, here / "targetPort", extra.target_port, targets)
        yield from _taken(NODE_PORT_TWICE, here / "nodePort", extra.node_port, node_ports)
        for key, port in (("port", extra.port), ("targetPort", extra.target_port)):
            if port in PROXY_PORTS:
                yield PROXY_PORT.at(here / key, port)


def ports_speak_one_protocol(stack: Stack, _: Path) -> Iterator[Issue]:
    """Istio keeps the server that came first and drops the other in silence."""
    taken: dict[int, tuple[str, Path]] = {}
    for place, service in stack.placed.items():
        for way in entry_points(service, place):
            scheme, other = taken.setdefault(way.port, (way.scheme, way.port_place))
            if scheme != way.scheme:
                words = {"scheme": way.scheme, "port": way.port, "other": other, "taken": scheme}
                usual = HTTPS_PORT if way.tls else HTTP_PORT
                free = next(number for number in chain([usual], count(8443)) if number not in taken)
                yield TWO_PROTOCOLS.at(way.port_place, way.port, free=free, **words)


def extra_ports_have_a_target(stack: Stack, at: Path) -> Iterator[Issue]:
    """An extra port is served by the Gateways of the stack's own."""
    if stack.ingress.extra_ports and stack.services and not any(each.owns_gateway for each in stack.services):
        here = at / "ingress" / "extraPorts"
        yield NO_OWN_GATEWAY.at(here, encode(stack.ingress.extra_ports))


def certificates_are_distinct(stack: Stack, _: Path) -> Iterator[Issue]:
    """Hosts of one certificate belong to one listener (IST0138)."""
    taken: dict[str, Path] = {}
    for place, service in stack.placed.items():
        for way in entry_points(service, place):
            if way.tls is not None:
                here = way.place / "tls" / "secret"
                if way.tls.secret in taken:
                    yield CERTIFICATE_TWICE.at(here, way.tls.secret, other=taken[way.tls.secret])
                taken.setdefault(way.tls.secret, here)


def mutual_is_without_exception(service: Service, at: Path) -> Iterator[Issue]:
    """Where clients need a certificate, no listener of the service leads there without one."""
    listeners = service.listeners(at)
    mutual = next((place for place, each in listeners.items() if each.is_mutual), None)
    for place, each in listeners.items():
        if mutual is not None and not each.is_mutual:
            mode = each.tls.mode if each.tls else None
            yield NOT_MUTUAL.at(place / "tls" / "mode", mode, other=mutual / "tls" / "mode")
        elif each.is_mutual and not each.redirects and each.port != HTTP_PORT:
            yield PORT_UNUSED.at(place / "port", each.port, redirect=assign(place / "tls" / "redirect", True))


def mutual_has_no_extra_ports(stack: Stack, at: Path) -> Iterator[Issue]:
    """An extra port serves the hosts of every Gateway of the stack over plain HTTP."""
    extra = at / "ingress" / "extraPorts"
    ports = ", ".join(str(each.port) for each in stack.ingress.extra_ports)
    for place, service in stack.placed.items():
        for where, listener in service.listeners(place).items():
            if ports and listener.is_mutual:
                here = where / "tls" / "mode"
                yield MUTUAL_AND_PLAIN.at(here, "MUTUAL", ports=ports, away=command("rm", extra))


def redirects_arrive(service: Service, at: Path) -> Iterator[Issue]:
    """Envoy sends clients to the port that an https URL has by itself."""
    for way in entry_points(service, at):
        if way.tls is not None and way.tls.redirect and way.port != HTTPS_PORT:
            yield REDIRECT_ASTRAY.at(
                way.port_place, way.port, off=assign(way.place / "tls" / "redirect", False)
            )


def listeners_are_not_the_proxys(service: Service, at: Path) -> Iterator[Issue]:
    """The gateway's pods have a proxy with ports of its own, too."""
    for way in entry_points(service, at):
        if way.port in PROXY_PORTS:
            yield PROXY_PORT.at(way.port_place, way.port)


def gateway_is_used(service: Service, at: Path) -> Iterator[Issue]:
    """What is declared is there, or the stack file is refused."""
    if not service.outside and service.gateway != Gateway():
        fix = assign(at / "mesh", True)
        yield GATEWAY_UNUSED.at(at / "gateway", encode(service.gateway), fix=fix)


def _taken(message: Message, at: Path, port: int, taken: dict[int, str]) -> Iterator[Issue]:
    if port in taken:
        free = next(other for other in count(port + 1) if other not in taken)
        yield message.at(at, port, port=port, other=taken[port], free=free)
    taken.setdefault(port, str(at))
