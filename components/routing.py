"""Settings → the specs of Istio's objects, as Istio writes them. Pure: no Pulumi, no cluster."""

from typing import Any

from components.model.service import Service
from components.model.stack import Ingress

Spec = dict[str, Any]
"""A Kubernetes object, or part of one, in its own words."""


def gateway(service: Service, ingress: Ingress) -> Spec:
    """One server for the port where users arrive, and one for each extra port of the ingress.

    Istio looks the number of a server up in the Services that select the gateway's pods, so the server for
    8066 listens on the target port of the stack's own Service.
    """
    ports = (service.gateway.port, *(extra.port for extra in ingress.extra_ports))
    return {
        "selector": dict(ingress.selector),
        "servers": [
            {
                "port": {"number": port, "name": f"http-{port}", "protocol": "HTTP"},
                "hosts": list(service.gateway.hosts),
            }
            for port in ports
        ],
    }


def destination_rule(service: Service, version: str) -> Spec:
    """One subset. Each version has a rule of its own, so that each subset can be ordered around the routes.

    Istio merges the subsets of all rules for one host. Traffic policy belongs inside the subset: of what
    stands at the top level, only the first rule's counts.
    """
    return {
        "host": service.app.name,
        "subsets": [{"name": version, "labels": {"app": service.app.name, "version": version}}],
    }


def virtual_service(service: Service) -> Spec:
    """All routes of the service, in the order in which they are tried."""
    return {
        "hosts": list(service.gateway.hosts),
        "gateways": [service.app.name],
        "http": [{"name": "weights", "route": _split(service)}],
    }


def _split(service: Service) -> list[Spec]:
    """Divide traffic between all versions, those with weight 0 among them.

    Istio leaves a destination of weight 0 out of what Envoy gets, so keeping it costs nothing, and every
    version keeps its place in the list: a weight change is a change of numbers in the preview, and a weight
    set by hand is drift that `pulumi refresh` reports, as it would not report a destination added to the live
    list (pulumi-kubernetes#3262). A lone destination has no weight, or Kiali warns (KIA1104).
    """
    if len(service.versions) == 1:
        return [{"destination": _destination(service, version)} for version in service.versions]
    return [
        {"destination": _destination(service, version), "weight": weight}
        for version, weight in service.split.items()
    ]


def _destination(service: Service, version: str) -> Spec:
    return {"host": service.app.name, "subset": version}
