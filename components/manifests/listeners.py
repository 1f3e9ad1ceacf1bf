"""The entry points of a service: ports of the ingress with the hosts that they serve. Pure: no Pulumi."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from components.model.gateway import Gateway, Listener, Tls, covers
from components.model.service import Service
from components.model.stack import Stack
from components.schema.issues import Path

HTTPS_PORT: Final = 443
"""The default port of https."""


@dataclass(frozen=True, kw_only=True)
class EntryPoint:
    """One of the two ports of a listener: for plain HTTP or for HTTPS."""

    listener: Listener
    place: Path
    """The path of the listener in the stack file."""

    tls: Tls | None = None
    """The settings of HTTPS; None for plain HTTP."""

    @property
    def port(self) -> int:
        """The port of the ingress Service."""
        return self.tls.port if self.tls else self.listener.port

    @property
    def scheme(self) -> str:
        """The scheme of its URLs. For a Gateway of another owner only the port is known."""
        foreign = isinstance(self.listener, Gateway) and self.listener.existing
        return "https" if self.tls or (foreign and self.port == HTTPS_PORT) else "http"

    @property
    def port_place(self) -> Path:
        """The path of the port in the stack file."""
        return self.place / "tls" / "port" if self.tls else self.place / "port"

    def serves(self, hosts: Iterable[str]) -> bool:
        """Return whether it serves one of these hosts."""
        own = self.listener.hosts
        return any(host in own or any(covers(wide, host) for wide in own) for host in hosts)

    @property
    def redirects(self) -> bool:
        """Whether it only redirects to HTTPS."""
        return self.tls is None and self.listener.redirects


def entry_points(service: Service, at: Path) -> Iterator[EntryPoint]:
    """Yield the entry points of a service, which is at a path of the stack file."""
    for place, listener in service.listeners(at).items():
        if listener.serves_plain_http or listener.redirects:
            yield EntryPoint(listener=listener, place=place)
        if listener.tls is not None:
            yield EntryPoint(listener=listener, place=place, tls=listener.tls)


def shown(service: Service, stack: Stack) -> list[EntryPoint]:
    """Return the entry points to show in outputs, also those of another service's Gateway that it uses."""
    for place, other in stack.placed.items():
        if other.owns_gateway and stack.gateway_of(other) == service.gateway.existing:
            return [each for each in entry_points(other, place) if each.serves(service.gateway.hosts)]
    return list(entry_points(service, stack.place(service)))


def numbered(names: Iterable[str]) -> Iterator[str]:
    """Make names unique: `a`, `b`, `a-2`."""
    taken: Counter[str] = Counter()
    for name in names:
        taken[name] += 1
        yield name if taken[name] == 1 else f"{name}-{taken[name]}"
