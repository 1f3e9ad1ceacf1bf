"""The entry points of a service → Gateways on the existing ingress, and the HTTPRoute that redirects.

They are in the namespace of the ingress, since Istio accepts no Service of another namespace; the Secrets
with certificates are there too, as with Istio's own Gateways.
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
"""Istio needs the full name of a Gateway's Service; this is the default domain."""

TLS_MODE: Final = "gateway.istio.io/tls-terminate-mode"
"""Istio's option for one listener. `tls.frontend` would apply to the clients of every host on the port."""


def gateways(service: Service, stack: Stack) -> dict[str, Spec]:
    """Return the Gateways to which the service's route is attached: for the ingress, and for the extra ports.

    Two are needed, since Istio requires every port of a Gateway in each of its Services.
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
    """Return a Gateway whose address has the actual name of a Service in place of the declared one."""
    addresses = [
        {**each, "value": each["value"].replace(f"{declared}.", f"{actual}.", 1)}
        for each in spec["addresses"]
    ]
    return {**spec, "addresses": addresses}


def redirect_gateways(service: Service, stack: Stack) -> dict[str, Spec]:
    """Return the Gateway whose listeners only redirect to HTTPS, if there are any."""
    listeners = _listeners(service, redirects=True) if service.owns_gateway else []
    name = f"{_name(service, stack)}-redirect"
    return {name: _gateway(_ingress(stack), stack, listeners)} if listeners else {}


def redirect_route(stack: Stack, gateway: str) -> Spec:
    """Return the HTTPRoute that redirects every request on a Gateway to HTTPS."""
    to_https = {"type": "RequestRedirect", "requestRedirect": {"scheme": "https", "statusCode": 301}}
    any_path = {"path": {"type": "PathPrefix", "value": "/"}}
    return {
        "parentRefs": [_reference(stack.ingress.namespace, gateway)],
        "rules": [{"name": "redirect", "matches": [any_path], "filters": [to_https]}],
    }


def parents(service: Service, stack: Stack) -> list[Spec]:
    """Return references to the Gateways of the service's route: its own or an existing one."""
    if not service.outside:
        return []
    if (existing := service.gateway.existing) is None:
        return [_reference(stack.ingress.namespace, name) for name in gateways(service, stack)]
    # In the stack's own namespace a Gateway is named after its service, as with Istio's Gateways.
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
        # With a Service's name as address, Istio deploys no gateway of its own.
        "addresses": [{"type": "Hostname", "value": f"{service}.{stack.ingress.namespace}.{CLUSTER_DOMAIN}"}],
        "listeners": [
            {**each, "allowedRoutes": {"namespaces": {"from": "Selector", "selector": same_stack}}}
            for each in listeners
        ],
    }


def _listeners(service: Service, *, redirects: bool) -> list[Spec]:
    """Return a listener for each host and port: a listener of the Gateway API has one host."""
    listeners = [
        {**_plain(entry.port), **_host(host), **_https(entry)}
        for entry in entry_points(service, Path())
        if entry.redirects is redirects
        for host in entry.listener.hosts
    ]
    names = numbered(each["name"] for each in listeners)
    return [{**each, "name": name} for each, name in zip(listeners, names, strict=True)]


def _plain(port: int) -> Spec:
    return {"name": f"http-{port}", "port": port, "protocol": "HTTP"}


def _host(host: str) -> Spec:
    return {} if host == "*" else {"hostname": host}


def _https(entry: EntryPoint) -> Spec:
    if entry.tls is None:
        return {}
    options = {"options": {TLS_MODE: entry.tls.mode}} if entry.tls.mode == "MUTUAL" else {}
    secret = {"group": "", "kind": "Secret", "name": entry.tls.secret}
    tls = {"mode": "Terminate", "certificateRefs": [secret], **options}
    return {"name": f"https-{entry.port}", "protocol": "HTTPS", "tls": tls}
