"""Rules about the hosts of one service and of all services on one ingress."""

from collections.abc import Iterator
from itertools import count

from components.manifests.listeners import entry_points
from components.model.gateway import covers
from components.model.service import Service
from components.model.stack import Stack
from components.schema.issues import Issue, Path
from components.schema.messages import DUPLICATE_HOST, HOST_NOT_SERVED, HOSTS_OVERLAP, NO_SUCH_GATEWAY


def hosts_are_distinct(stack: Stack, _: Path) -> Iterator[Issue]:
    """Each host leads to one service, on extra ports too. A host and a `*` that covers it are different."""
    taken: dict[tuple[str, str], Path] = {}
    for place, service in stack.placed.items():
        reported: set[Path] = set()
        for where, host, here in _claims(service, place, stack):
            other = taken.setdefault((where, host), here)
            if other != here and here not in reported:
                reported.add(here)
                used = {host for _, host in taken}
                names = (f"{service.app.name}{nth or ''}.example.com" for nth in count())
                words = {"where": where, "example": next(name for name in names if name not in used)}
                yield DUPLICATE_HOST.at(here, host, other=other, **words)


def joined_gateways_have_hosts(stack: Stack, _: Path) -> Iterator[Issue]:
    """A Gateway in the stack's own namespace belongs to one of its services."""
    own = {stack.gateway_of(each): each for each in stack.services if each.owns_gateway}
    for place, service in stack.placed.items():
        named, here = service.gateway.existing, place / "gateway"
        if not service.outside or not named or named.partition("/")[0] != stack.namespace.name:
            continue
        if named not in own and stack.namespace.existing:
            continue  # The namespace is shared, and the Gateway belongs to another owner.
        if named not in own:
            yield NO_SUCH_GATEWAY.at(here / "existing", named, known=", ".join(own) or "none")
            continue
        served = own[named].hosts
        for nth, host in enumerate(service.gateway.hosts):
            if host not in served and not any(covers(wide, host) for wide in served):
                yield HOST_NOT_SERVED.at(here / "hosts" / nth, host, gateway=named, hosts=", ".join(served))


def hosts_are_apart(service: Service, at: Path) -> Iterator[Issue]:
    """Istio's webhook refuses a VirtualService in which one host covers another."""
    for place, listener in service.listeners(at).items():
        for nth, host in enumerate(listener.hosts):
            for other in listener.hosts:
                if covers(other, host):
                    yield HOSTS_OVERLAP.at(place / "hosts" / nth, host, other=other)


def _claims(service: Service, at: Path, stack: Stack) -> Iterator[tuple[str, str, Path]]:
    """List where each host is served: the port or Gateway, the host, and its path in the stack file."""
    placed = [
        (host, entry.place / "hosts" / nth, entry)
        for entry in entry_points(service, at)
        for nth, host in enumerate(entry.listener.hosts)
    ]
    for host, here, entry in placed:
        joined = service.gateway.existing
        yield f"the Gateway {joined}" if joined else f"port {entry.port}", host, here
    if service.owns_gateway:
        of_all = [f"port {extra.port}" for extra in stack.ingress.extra_ports]
        of_all += [f"the Gateway {stack.gateway_of(service)}"]
        once = {host: here for host, here, _ in reversed(placed)}
        yield from ((where, host, here) for where in of_all for host, here in once.items())
