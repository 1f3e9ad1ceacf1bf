"""Rules about the ports and certificates of Gateways, of one service and of all on one ingress."""

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
    DUPLICATE_CERTIFICATE,
    DUPLICATE_NODE_PORT,
    DUPLICATE_PORT,
    GATEWAY_UNUSED,
    MUTUAL_WITH_EXTRA_PORTS,
    NO_OWN_GATEWAY,
    NOT_MUTUAL,
    PORT_UNUSED,
    PROXY_PORT,
    REDIRECT_PORT,
    TWO_PROTOCOLS,
)

HTTP_PORT: Final = 80


def ports_are_distinct(stack: Stack, at: Path) -> Iterator[Issue]:
    """The ports of the Gateways, of their pods and of the nodes can each be used once."""
    taken = {
        entry.port: str(entry.port_place)
        for place, each in stack.placed.items()
        for entry in entry_points(each, place)
    }
    targets: dict[int, str] = {}
    node_ports: dict[int, str] = {}
    for nth, extra in enumerate(stack.ingress.extra_ports):
        here = at / "ingress" / "extraPorts" / nth
        yield from _taken(DUPLICATE_PORT, here / "port", extra.port, taken)
        yield from _taken(DUPLICATE_PORT, here / "targetPort", extra.target_port, targets)
        yield from _taken(DUPLICATE_NODE_PORT, here / "nodePort", extra.node_port, node_ports)
        for key, port in (("port", extra.port), ("targetPort", extra.target_port)):
            if port in PROXY_PORTS:
                yield PROXY_PORT.at(here / key, port)


def ports_speak_one_protocol(stack: Stack, _: Path) -> Iterator[Issue]:
    """Istio uses the server that was created first and ignores the other."""
    taken: dict[int, tuple[str, Path]] = {}
    for place, service in stack.placed.items():
        for entry in entry_points(service, place):
            scheme, other = taken.setdefault(entry.port, (entry.scheme, entry.port_place))
            if scheme != entry.scheme:
                words = {"scheme": entry.scheme, "port": entry.port, "other": other, "taken": scheme}
                usual = HTTPS_PORT if entry.tls else HTTP_PORT
                free = next(number for number in chain([usual], count(8443)) if number not in taken)
                yield TWO_PROTOCOLS.at(entry.port_place, entry.port, free=free, **words)


def extra_ports_have_a_target(stack: Stack, at: Path) -> Iterator[Issue]:
    """Only the stack's own Gateways serve an extra port."""
    if stack.ingress.extra_ports and stack.services and not any(each.owns_gateway for each in stack.services):
        here = at / "ingress" / "extraPorts"
        yield NO_OWN_GATEWAY.at(here, encode(stack.ingress.extra_ports))


def certificates_are_distinct(stack: Stack, _: Path) -> Iterator[Issue]:
    """All hosts of one certificate belong to one listener (IST0138)."""
    taken: dict[str, Path] = {}
    for place, service in stack.placed.items():
        for entry in entry_points(service, place):
            if entry.tls is not None:
                here = entry.place / "tls" / "secret"
                if entry.tls.secret in taken:
                    yield DUPLICATE_CERTIFICATE.at(here, entry.tls.secret, other=taken[entry.tls.secret])
                taken.setdefault(entry.tls.secret, here)


def mutual_is_without_exception(service: Service, at: Path) -> Iterator[Issue]:
    """If one listener requires client certificates, all listeners of the service must."""
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
                yield MUTUAL_WITH_EXTRA_PORTS.at(here, "MUTUAL", ports=ports, away=command("rm", extra))


def redirects_arrive(service: Service, at: Path) -> Iterator[Issue]:
    """Envoy redirects clients to 443, the default port of https."""
    for entry in entry_points(service, at):
        if entry.tls is not None and entry.tls.redirect and entry.port != HTTPS_PORT:
            yield REDIRECT_PORT.at(
                entry.port_place, entry.port, off=assign(entry.place / "tls" / "redirect", False)
            )


def listeners_are_not_the_proxys(service: Service, at: Path) -> Iterator[Issue]:
    """The gateway's pods run a proxy, which uses ports itself."""
    for entry in entry_points(service, at):
        if entry.port in PROXY_PORTS:
            yield PROXY_PORT.at(entry.port_place, entry.port)


def gateway_is_used(service: Service, at: Path) -> Iterator[Issue]:
    """A declared Gateway that the service does not use is refused rather than ignored."""
    if not service.outside and service.gateway != Gateway():
        fix = assign(at / "mesh", True)
        yield GATEWAY_UNUSED.at(at / "gateway", encode(service.gateway), fix=fix)


def _taken(message: Message, at: Path, port: int, taken: dict[int, str]) -> Iterator[Issue]:
    if port in taken:
        free = next(other for other in count(port + 1) if other not in taken)
        yield message.at(at, port, port=port, other=taken[port], free=free)
    taken.setdefault(port, str(at))
