"""The ingress and how it is reached from outside. Pure: what the cluster said comes in as plain values."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

from components.manifests.listeners import EntryPoint
from components.model.service import Service
from components.model.stack import ExtraPort, Ingress, Stack

Spec = dict[str, Any]
"""A Kubernetes object, or part of one, in its own words."""

USUAL: Final = {80: "http2", 443: "https"}
"""What charts name the ports for HTTP and HTTPS, whose numbers may be others at the Service."""

DEFAULT_PORTS: Final = {"http": 80, "https": 443}
"""Ports that a URL does not have to say."""

Seen = Mapping[str, Any]
"""A piece of a live object, with the keys that Pulumi's Python SDK gives it: `node_port`, `load_balancer`."""


def extra_ports_name(stack: Stack) -> str:
    """Name the Service of the extra ports, which stands among other stacks' in the gateway's namespace.

    No two stacks of a cluster can have one node port. The name says nothing of services: they come and go,
    and a new name would be another object, for which the port is taken. One that exists keeps its name.
    """
    return f"extra-{stack.ingress.extra_ports[0].node_port}-{stack.namespace.name}"[:63].rstrip("-")


def former_extra_ports_names(stack: Stack) -> list[str]:
    """List the names of that Service in older versions of the program: after the app, or the namespace."""
    namespace = stack.namespace.name
    return [unique_name(namespace, each) for each in stack.former_names]


def unique_name(namespace: str, app: str) -> str:
    """Name an object of an app that stands among other stacks'.

    The digest keeps `a-b` in `c` apart from `a` in `b-c`, and long names apart once they are cut.
    """
    digest = sha256(f"{namespace}/{app}".encode()).hexdigest()[:6]
    return f"{f'{app}-{namespace}'[:56]}-{digest}"


def extra_ports(ingress: Ingress) -> Spec:
    """Open the extra ports by a Service of the stack's own in front of the gateway's pods.

    A patch of the gateway's own Service never settles: it shows a change on every update.
    """
    return {
        "type": "NodePort",
        "selector": dict(ingress.selector),
        "ports": [_port(extra) for extra in ingress.extra_ports],
    }


def arrival(ports: Sequence[Seen], gateway_port: int) -> Seen | None:
    """Find the port of the ingress Service at which users of the gateway's port arrive."""
    usual = USUAL.get(gateway_port)
    named = [port for port in ports if usual and port.get("name") == usual]
    numbered = [port for port in ports if port["port"] == gateway_port]
    return next(iter(named + numbered), None)


def balanced_address(entries: Iterable[Seen]) -> str | None:
    """Read the address of a load balancer."""
    return next((address for entry in entries if (address := entry.get("ip") or entry.get("hostname"))), None)


def node_address(addresses: Iterable[Seen]) -> str | None:
    """Read the address of a node: the one that is seen from outside, else the one inside."""
    by_type = {each["type"]: each["address"] for each in addresses}
    return by_type.get("ExternalIP", by_type.get("InternalIP"))


def url(address: str, port: int, path: str, scheme: str = "http") -> str:
    """Put a URL together."""
    host = f"[{address}]" if ":" in address else address
    return f"{scheme}://{host}{path}" if port == DEFAULT_PORTS[scheme] else f"{scheme}://{host}:{port}{path}"


def opened(service: Service, entry_points: Sequence[EntryPoint]) -> str:
    """Choose the port of the URL to open: HTTPS, if the first listener has it."""
    if not entry_points:
        return str(service.app.port)
    secure = [way for way in entry_points if way.tls and way.listener is entry_points[0].listener]
    return str((secure or entry_points)[0].port)


def inside_urls(service: Service, namespace: str) -> dict[str, str]:
    """List the URLs for callers in the mesh, where nobody else reaches the service."""
    app = service.app
    return {str(app.port): url(f"{app.name}.{namespace}", app.port, app.shown_path)}


def extra_urls(service: Service, ingress: Ingress, address: str) -> dict[str, str]:
    """List the URLs of the extra ports by port. They are node ports, whatever the ingress itself is."""
    return {
        str(extra.port): url(address, extra.node_port, service.app.shown_path)
        for extra in ingress.extra_ports
        if service.owns_gateway
    }


def _port(extra: ExtraPort) -> Spec:
    return {
        "name": f"http-{extra.port}",
        "appProtocol": "http",
        "protocol": "TCP",
        "port": extra.port,
        "targetPort": extra.target_port,
        "nodePort": extra.node_port,
    }
