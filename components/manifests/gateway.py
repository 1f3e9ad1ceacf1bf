"""Settings → the spec of an Istio Gateway, as Istio writes it. Pure: no Pulumi, no cluster."""

from collections.abc import Sequence

from components.manifests.listeners import EntryPoint, entry_points, numbered
from components.manifests.route_match import Spec
from components.model.service import Service
from components.model.stack import Ingress
from components.schema.issues import Path


def gateway(service: Service, ingress: Ingress) -> Spec:
    """Servers for the ports where users arrive, and one for each extra port of the ingress.

    Istio looks the number of a server up in the Services that select the gateway's pods, so the server for
    8066 listens on the target port of the stack's own Service.
    """
    servers = [_server(way) for way in entry_points(service, Path())]
    servers += [_plain(extra.port, service.hosts) for extra in ingress.extra_ports]
    # Istio finds the routes of an HTTPS server by the name of its port.
    names = numbered(f"{each['port']['protocol'].lower()}-{each['port']['number']}" for each in servers)
    for server, name in zip(servers, names, strict=True):
        server["port"]["name"] = name
    return {"selector": dict(ingress.selector), "servers": servers}


def _server(way: EntryPoint) -> Spec:
    if way.tls is None:
        return _plain(way.port, way.listener.hosts) | (
            {"tls": {"httpsRedirect": True}} if way.redirects else {}
        )
    return {
        "port": {"number": way.port, "protocol": "HTTPS"},
        "hosts": list(way.listener.hosts),
        "tls": {"mode": way.tls.mode, "credentialName": way.tls.secret},
    }


def _plain(port: int, hosts: Sequence[str]) -> Spec:
    return {"port": {"number": port, "protocol": "HTTP"}, "hosts": list(hosts)}
