"""The ways into a service → Gateways on the ingress that is there, and the route that shows the way to HTTPS.

They stand in the ingress' namespace, since Istio takes a Service of no other; the Secrets with certificates
are there too, as with Istio's own Gateways.
"""

from collections.abc import Iterable
from typing import Final

from components.manifests.ingress import extra_ports_name, unique_name
from components.manifests.listeners import EntryPoint, entry_points, numbered
from components.manifests.route_match import Spec
from components.model.service import Service
from components.model.stack import Stack
from components.schema.issues import Path

GROUP: Final = "gateway.networking.k8s.io"
CLUSTER_DOMAIN: Final = "svc.cluster.local"
"""Istio takes the Service of a Gateway by its full name, and knows this domain unless told otherwise."""

TLS_MODE: Final = "gateway.istio.io/tls-terminate-mode"
"""Istio's option for one listener. `tls.frontend` would ask the clients of every host on the port."""


def active_versions(service: Service, stack: Stack) -> dict[str, Spec]:
    """Write the Gateways on which the service's route hangs: for the ingress, and for the extra ports.

    There are two of them, since Istio looks for every port of a Gateway in each of its Services.
    """
    if not service.owns_gateway:
        return {}
    name = _name(service, stack)
    by_name = {name: _gateway(_ingress(stack), stack, _listeners(service, redirects=False))}
    if stack.ingress.extra_ports:
        plain = [_plain(each.port) for each in stack.ingress.extra_ports]
        by_name[f"{name}-extra"] = _gateway(extra_ports_name(stack), stack, plain)
    return by_name


def addressed(spec: Spec, declared: str, actual: str) -> Spec:
    """Write a Gateway for a Service under the name that it has, where that is another than it would get."""
    addresses = [
        {**each, "value": each["value"].replace(f"{declared}.", f"{actual}.", 1)}
        for each in spec["addresses"]
    ]
    return {**spec, "addresses": addresses}


def redirecting(service: Service, stack: Stack) -> dict[str, Spec]:
    """Write the Gateway whose listeners only show the way to HTTPS, where there are any."""
    listeners = _listeners(service, redirects=True) if service.owns_gateway else []
    name = f"{_name(service, stack)}-redirect"
    return {name: _gateway(_ingress(stack), stack, listeners)} if listeners else {}


def redirect_route(stack: Stack, gateway: str) -> Spec:
    """Answer every request on a Gateway with the way to HTTPS. The hosts are its listeners'."""
    to_https = {"type": "RequestRedirect", "requestRedirect": {"scheme": "https", "statusCode": 301}}
    any_path = {"path": {"type": "PathPrefix", "value": "/"}}
    return {
        "parentRefs": [_reference(stack.ingress.namespace, gateway)],
        "rules": [{"name": "redirect", "matches": [any_path], "filters": [to_https]}],
    }


def parents(service: Service, stack: Stack) -> list[Spec]:
    """Name the Gateways on which the service's route hangs: its own, another service's, or a third's."""
    if not service.outside:
        return []
    if (existing := service.gateway.existing) is None:
        return [_reference(stack.ingress.namespace, name) for name in active_versions(service, stack)]
    # In the stack's own namespace a Gateway is named after its service, as with Istio's own.
    for other in stack.services:
        if other.owns_gateway and stack.gateway_of(other) == existing:
            return parents(other, stack)
    namespace, _, name = existing.partition("/")
    return [_reference(namespace, name)]


def _reference(namespace: str, name: str) -> Spec:
    return {"group": GROUP, "kind": "Gateway", "namespace": namespace, "name": name}


def _name(service: Service, stack: Stack) -> str:
    return unique_name(stack.namespace.name, service.app.name)


def _ingress(stack: Stack) -> str:
    return stack.ingress.service.partition("/")[2]


def _gateway(service: str, stack: Stack, listeners: Iterable[Spec]) -> Spec:
    same_stack = {"matchLabels": {"kubernetes.io/metadata.name": stack.namespace.name}}
    return {
        "gatewayClassName": "istio",
        # An address that is a Service's name keeps Istio from running a gateway of its own.
        "addresses": [{"type": "Hostname", "value": f"{service}.{stack.ingress.namespace}.{CLUSTER_DOMAIN}"}],
        "listeners": [
            {**each, "allowedRoutes": {"namespaces": {"from": "Selector", "selector": same_stack}}}
            for each in listeners
        ],
    }


def _listeners(service: Service, *, redirects: bool) -> list[Spec]:
    """List a listener for each host and port: one of the Gateway API's has one host."""
    listeners = [
        {**_plain(way.port), **_host(host), **_https(way)}
        for way in entry_points(service, Path())
        if way.redirects is redirects
        for host in way.listener.hosts
    ]
    names = numbered(each["name"] for each in listeners)
    return [{**each, "name": name} for each, name in zip(listeners, names, strict=True)]


def _plain(port: int) -> Spec:
    return {"name": f"http-{port}", "port": port, "protocol": "HTTP"}


def _host(host: str) -> Spec:
    return {} if host == "*" else {"hostname": host}


def _https(way: EntryPoint) -> Spec:
    if way.tls is None:
        return {}
    asks_clients = {"options": {TLS_MODE: way.tls.mode}} if way.tls.mode == "MUTUAL" else {}
    secret = {"group": "", "kind": "Secret", "name": way.tls.secret}
    tls = {"mode": "Terminate", "certificateRefs": [secret], **asks_clients}
    return {"name": f"https-{way.port}", "protocol": "HTTPS", "tls": tls}
