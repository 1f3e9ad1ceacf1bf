"""The ways into a service: a port of the ingress, and the hosts that lead from there. Pure: no Pulumi."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from components.faults import Path
from components.model.gateway import Listener, Tls
from components.model.service import Service


@dataclass(frozen=True, kw_only=True)
class Way:
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
        """The scheme of its URLs."""
        return "https" if self.tls else "http"

    @property
    def port_place(self) -> Path:
        """Where the stack file says the port, or would."""
        return self.place / "tls" / "port" if self.tls else self.place / "port"

    @property
    def redirects(self) -> bool:
        """Whether it only shows the way to HTTPS."""
        return self.tls is None and self.listener.tls is not None and self.listener.tls.redirect


def ways(service: Service, at: Path) -> Iterator[Way]:
    """List the ways into a service that stands at a place of the stack file."""
    for place, listener in service.listeners(at).items():
        yield Way(listener=listener, place=place)
        if listener.tls is not None:
            yield Way(listener=listener, place=place, tls=listener.tls)


def numbered(names: Iterable[str]) -> Iterator[str]:
    """Tell equal names apart: `a`, `b`, `a-2`."""
    taken: Counter[str] = Counter()
    for name in names:
        taken[name] += 1
        yield name if taken[name] == 1 else f"{name}-{taken[name]}"
