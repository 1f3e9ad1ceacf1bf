"""The Service of the extra ports, and the URLs of the ingress. Pure: live objects are arguments."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

from components.manifests.listeners import EntryPoint
from components.model.service import Service
from components.model.stack import ExtraPort, Ingress, Stack

Spec = dict[str, Any]
"""A Kubernetes object, or part of one."""

USUAL: Final = {80: "http2", 443: "https"}
"""The names of the HTTP and HTTPS ports in Istio's charts; their numbers at the Service may differ."""

DEFAULT_PORTS: Final = {"http": 80, "https": 443}
"""The ports that a URL omits."""

Seen = Mapping[str, Any]
"""A part of a live object, with the keys of Pulumi's Python SDK: `node_port`, `load_balancer`."""


def extra_ports_name(stack: Stack) -> str:
    """Return the name of the Service of the extra ports, which is in the gateway's namespace.

    A node port is unique in a cluster. The name is independent of the stack's services, since another name
    would be another object, which could not get the same port. An existing Service is not renamed.
    """
    return f"extra-{stack.ingress.extra_ports[0].node_port}-{stack.namespace.name}"[:63].rstrip("-")


def former_extra_ports_names(stack: Stack) -> list[str]:
    """Return the names of that Service in older versions of the program, after the app or the namespace."""
    namespace = stack.namespace.name
    return [unique_name(namespace, each) for each in stack.former_names]


def unique_name(namespace: str, app: str) -> str:
    """Return a name for an object of an app in a namespace that other stacks use too.

    The digest distinguishes `a-b` in `c` from `a` in `b-c`, and long names after truncation.
    """
    digest = sha256(f"{namespace}/{app}".encode()).hexdigest()[:6]
    return f"{f'{app}-{namespace}'[:56]}-{digest}"


def extra_ports(ingress: Ingress) -> Spec:
    """Return the Service of the extra ports, in front of the gateway's pods.

    It is a Service of the stack's own: a patch of the gateway's Service would show a change on every update.
    """
    return {
        "type": "NodePort",
        "selector": dict(ingress.selector),
        "ports": [_port(extra) for extra in ingress.extra_ports],
    }


def arrival(ports: Sequence[Seen], gateway_port: int) -> Seen | None:
    """Return the port of the ingress Service that leads to a port of the Gateway."""
    usual = USUAL.get(gateway_port)
    named = [port for port in ports if usual and port.get("name") == usual]
    numbered = [port for port in ports if port["port"] == gateway_port]
    return next(iter(named + numbered), None)


def balanced_address(entries: Iterable[Seen]) -> str | None:
    """Return the address of a load balancer."""
    return next((address for entry in entries if (address := entry.get("ip") or entry.get("hostname"))), None)


def node_address(addresses: Iterable[Seen]) -> str | None:
    """Return the external address of a node, else the internal one."""
    by_type = {each["type"]: each["address"] for each in addresses}
    return by_type.get("ExternalIP", by_type.get("InternalIP"))


def url(address: str, port: int, path: str, scheme: str = "http") -> str:
    """Build a URL."""
    host = f"[{address}]" if ":" in address else address
    return f"{scheme}://{host}{path}" if port == DEFAULT_PORTS[scheme] else f"{scheme}://{host}:{port}{path}"


def opened(service: Service, entry_points: Sequence[EntryPoint]) -> str:
    """Return the port of the output `url`: HTTPS, if the first listener has it."""
    if not entry_points:
        return str(service.app.port)
    secure = [each for each in entry_points if each.tls and each.listener is entry_points[0].listener]
    return str((secure or entry_points)[0].port)


def inside_urls(service: Service, namespace: str) -> dict[str, str]:
    """Return the URLs of a service that only callers in the mesh reach."""
    app = service.app
    return {str(app.port): url(f"{app.name}.{namespace}", app.port, app.shown_path)}


def extra_urls(service: Service, ingress: Ingress, address: str) -> dict[str, str]:
    """Return the URLs of the extra ports by port. They are always node ports."""
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
