"""Settings → the spec of an Istio Gateway. Pure: no Pulumi, no cluster."""

from collections.abc import Sequence

from components.manifests.listeners import EntryPoint, entry_points, numbered
from components.manifests.route_match import Spec
from components.model.service import Service
from components.model.stack import Ingress
from components.schema.issues import Path


def gateway(service: Service, ingress: Ingress) -> Spec:
    """Return a Gateway with a server for each entry point and each extra port of the ingress.

    Istio finds the number of a server in the Services that select the gateway's pods, so the server for 8066
    listens on the target port of the stack's own Service.
    """
    servers = [_server(entry) for entry in entry_points(service, Path())]
    servers += [_plain(extra.port, service.hosts) for extra in ingress.extra_ports]
    # Istio finds the routes of an HTTPS server by the name of its port.
    names = numbered(f"{each['port']['protocol'].lower()}-{each['port']['number']}" for each in servers)
    for server, name in zip(servers, names, strict=True):
        server["port"]["name"] = name
    return {"selector": dict(ingress.selector), "servers": servers}


def _server(entry: EntryPoint) -> Spec:
    if entry.tls is None:
        return _plain(entry.port, entry.listener.hosts) | (
            {"tls": {"httpsRedirect": True}} if entry.redirects else {}
        )
    return {
        "port": {"number": entry.port, "protocol": "HTTPS"},
        "hosts": list(entry.listener.hosts),
        "tls": {"mode": entry.tls.mode, "credentialName": entry.tls.secret},
    }


def _plain(port: int, hosts: Sequence[str]) -> Spec:
    return {"port": {"number": port, "protocol": "HTTP"}, "hosts": list(hosts)}
