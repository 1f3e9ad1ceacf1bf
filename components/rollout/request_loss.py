"""Finds changes of an object that cannot avoid losing requests, by its inputs before and after. Pure.

The preview reports each with an alternative that loses none; docs/changes.md has the whole list.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.model.gateway import covers
from components.schema.issues import Issue, Path
from components.schema.messages import (
    ADDRESS_REMOVED,
    INGRESS_CHANGES,
    NODE_PORT_REMOVED,
    SCALED_DOWN_BEFORE_WEIGHT,
    SERVICE_PORT_CHANGES,
)

Spec = Mapping[str, Any]
"""The `spec` of an object."""


@dataclass(frozen=True, kw_only=True, order=True)
class Address:
    """An address at which clients outside the mesh reach a Gateway."""

    port: int
    is_tls: bool
    host: str

    def is_in(self, others: frozenset["Address"]) -> bool:
        """Return whether these addresses answer requests to it."""
        return any(
            (each.port, each.is_tls) == (self.port, self.is_tls)
            and (each.host in (self.host, "*") or covers(each.host, self.host))
            for each in others
        )

    def __str__(self) -> str:
        """Format it as a URL."""
        return f"{'https' if self.is_tls else 'http'}://{self.host}:{self.port}"


def addresses(gateway: Spec) -> frozenset[Address]:
    """Return the addresses of a Gateway of Istio or of the Gateway API."""
    of_servers = {
        Address(
            port=server["port"]["number"],
            is_tls=server["port"]["protocol"] == "HTTPS",
            host=host.rpartition("/")[2],
        )
        for server in gateway.get("servers") or ()
        for host in server["hosts"]
    }
    of_listeners = {
        Address(port=each["port"], is_tls=each["protocol"] == "HTTPS", host=each.get("hostname", "*"))
        for each in gateway.get("listeners") or ()
    }
    return frozenset(of_servers | of_listeners)


def of_gateway(old: Spec, new: Spec, place: Path) -> Iterator[Issue]:
    """Report removed addresses and a change of the ingress."""
    here = place / "gateway"
    left, entered = (each.get("selector") or each.get("addresses") for each in (old, new))
    if left != entered:
        yield INGRESS_CHANGES.at(Path() / "ingress", entered, old=left)
    remaining = addresses(new)
    if closed := [each for each in sorted(addresses(old)) if not each.is_in(remaining)]:
        text = ", ".join(map(str, closed))
        yield ADDRESS_REMOVED.at(here, [str(each) for each in sorted(remaining)], closed=text)


def of_service(old: Spec, new: Spec, place: Path) -> Iterator[Issue]:
    """Report removed ports of the service."""
    before, after = ({each["port"] for each in spec.get("ports") or ()} for spec in (old, new))
    for port in sorted(before - after):
        name = place / "app" / "name" if not place.parts else place
        yield SERVICE_PORT_CHANGES.at(place / "app" / "port", min(after), old=port, name=name)


def of_extra_ports(old: Spec, new: Spec) -> Iterator[Issue]:
    """Report removed node ports."""
    before, after = ({each.get("nodePort") for each in spec.get("ports") or ()} for spec in (old, new))
    for port in sorted(before - after):
        yield NODE_PORT_REMOVED.at(Path() / "ingress" / "extraPorts", port, port=port)


def shares(routes: Spec, workload_prefix: str) -> dict[str, int]:
    """Return the share of each version in the last route of a VirtualService or an HTTPRoute.

    Args:
        routes: the spec.
        workload_prefix: the prefix of the names of the versions' own Services.
    """
    of_subsets = _last(routes.get("http")).get("route") or ()
    of_services = _last(routes.get("rules")).get("backendRefs") or ()
    return {
        **{each["destination"].get("subset", ""): each.get("weight", 100) for each in of_subsets},
        **{each["name"].removeprefix(workload_prefix): each.get("weight", 100) for each in of_services},
    }


def of_weights(
    old: Mapping[str, int], new: Mapping[str, int], pods: Mapping[str, tuple[int, int]], place: Path
) -> Iterator[Issue]:
    """Report versions that lose pods before they lose weight.

    Args:
        old: the share of each version before.
        new: the share of each version after.
        pods: the number of pods before and after, of each version that this update scales down.
        place: the path of the service in the stack file.
    """
    for version, (before, after) in pods.items():
        if old.get(version, 0) > new.get(version, 0):
            words = {"before": before, "after": after, "old": old[version], "new": new.get(version, 0)}
            here = place / "versions" / version / "replicas"
            yield SCALED_DOWN_BEFORE_WEIGHT.at(here, after, version=version, **words)


def _last(routes: Sequence[Spec] | None) -> Spec:
    return routes[-1] if routes else {}
