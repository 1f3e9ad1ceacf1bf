"""The ways into a service: a port of the ingress, and the hosts that lead from there. Pure: no Pulumi."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from components.model.gateway import Gateway, Listener, Tls, covers
from components.model.service import Service
from components.model.stack import Stack
from components.schema.issues import Path

HTTPS_PORT: Final = 443
"""Where an https URL without a port goes."""


@dataclass(frozen=True, kw_only=True)
class EntryPoint:
    """One of the two ports of a listener: that for plain HTTP, or that for HTTPS."""

    listener: Listener
    place: Path
    """Where the listener stands in the stack file."""

    tls: Tls | None = None
    """What makes it HTTPS."""

    @property
    def port(self) -> int:
        """The port of the ingress Service."""
        return self.tls.port if self.tls else self.listener.port

    @property
    def scheme(self) -> str:
        """The scheme of its URLs. Of a Gateway that is somebody else's only the port is known."""
        foreign = isinstance(self.listener, Gateway) and self.listener.existing
        return "https" if self.tls or (foreign and self.port == HTTPS_PORT) else "http"

    @property
    def port_place(self) -> Path:
        """Where the stack file says the port, or would."""
        return self.place / "tls" / "port" if self.tls else self.place / "port"

    def serves(self, hosts: Iterable[str]) -> bool:
        """Tell whether it leads to one of these hosts."""
        own = self.listener.hosts
        return any(host in own or any(covers(wide, host) for wide in own) for host in hosts)

    @property
    def redirects(self) -> bool:
        """Whether it only shows the way to HTTPS."""
        return self.tls is None and self.listener.redirects


def entry_points(service: Service, at: Path) -> Iterator[EntryPoint]:
    """List the ways into a service that stands at a place of the stack file."""
    for place, listener in service.listeners(at).items():
        if listener.serves_plain_http or listener.redirects:
            yield EntryPoint(listener=listener, place=place)
        if listener.tls is not None:
            yield EntryPoint(listener=listener, place=place, tls=listener.tls)


def shown(service: Service, stack: Stack) -> list[EntryPoint]:
    """List the ways to show to a person: those of another service whose Gateway it joins are known too."""
    for place, other in stack.placed.items():
        if other.owns_gateway and stack.gateway_of(other) == service.gateway.existing:
            return [way for way in entry_points(other, place) if way.serves(service.gateway.hosts)]
    return list(entry_points(service, stack.place(service)))


def numbered(names: Iterable[str]) -> Iterator[str]:
    """Tell equal names apart: `a`, `b`, `a-2`."""
    taken: Counter[str] = Counter()
    for name in names:
        taken[name] += 1
        yield name if taken[name] == 1 else f"{name}-{taken[name]}"
