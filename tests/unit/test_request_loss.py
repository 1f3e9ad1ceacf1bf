"""Which updates lose requests by their nature, and what the preview reports of them."""

from collections.abc import Mapping
from typing import Any

import pytest

from components.gateway_api import gateway as gateways
from components.gateway_api import http_route
from components.manifests import deployment, virtual_service
from components.manifests import gateway as servers
from components.manifests.ingress import extra_ports
from components.manifests.labels import OURS, labels
from components.manifests.service import service_spec
from components.model.stack import Stack
from components.rollout import loss_warnings
from components.rollout.loss_warnings import LossWarnings
from components.rollout.request_loss import addresses
from components.schema.issues import Path
from tests.unit.stacks import several, stack

HOSTS = {"gateway__hosts": ["shop.example.com"]}


def manifests(of: Stack) -> list[dict[str, Any]]:
    """The objects of a stack whose update can lose requests, in the order of the engine."""
    found = []
    for service in of.services:
        of_app = labels(service.app)
        metadata: dict[str, Any] = {"name": service.app.name, "labels": of_app}
        found.append({"kind": "Service", "metadata": metadata, "spec": service_spec(service)})
        found += [
            {
                "kind": "Deployment",
                "metadata": {"name": service.workload(each), "labels": labels(service.app, each)},
                "spec": deployment.deployment(service, each, of.namespace),
            }
            for each in service.versions
        ]
        if of.api == "istio":
            gateway, routes = servers.gateway(service, of.ingress), virtual_service.virtual_service(service)
        else:
            (gateway,) = [
                gateways.gateways(service, of)[key] for key in list(gateways.gateways(service, of))[:1]
            ]
            routes = http_route.http_route(service, of)
        found.append({"kind": "Gateway", "metadata": metadata, "spec": gateway})
        found.append({"kind": "HTTPRoute", "metadata": metadata, "spec": routes})
    extra = {"name": "extra", "labels": OURS}
    found.append({"kind": "Service", "metadata": extra, "spec": extra_ports(of.ingress)})
    return found


def reported(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Update a stack from one walkthrough to another: code and place of what is reported."""
    old, new = stack(**before), stack(**after)
    report = LossWarnings(new)
    pairs = zip(manifests(old), manifests(new), strict=True)
    return [(each.code, str(each.path)) for one, other in pairs for each in report.of(one, other)]


@pytest.mark.parametrize(
    ("before", "after", "code", "place"),
    [
        ({}, {"app__port": 9090}, "MESH210", "mesh-app:app.port"),
        (HOSTS, {"gateway__hosts": ["new.example.com"]}, "MESH211", "mesh-app:gateway"),
        ({}, {"gateway__port": 8080}, "MESH211", "mesh-app:gateway"),
        (
            {**HOSTS, "gateway__tls": {"secret": "shop"}},
            HOSTS,
            "MESH211",
            "mesh-app:gateway",
        ),
        ({}, {"ingress__selector": {"istio": "inner"}}, "MESH212", "mesh-app:ingress"),
        ({}, {"ingress__extraPorts__0__nodePort": 31387}, "MESH213", "mesh-app:ingress.extraPorts"),
        (
            {"versions__v1__replicas": 4},
            {"versions__v1__replicas": 1, "weights": {"v1": 0, "v2": 100}},
            "MESH214",
            "mesh-app:versions.v1.replicas",
        ),
    ],
)
@pytest.mark.parametrize("api", ["istio", "gateway-api"])
def test_a_change_that_loses_requests_is_reported(
    before: dict[str, Any], after: dict[str, Any], code: str, place: str, api: str
) -> None:
    """Once, with its code and its key."""
    if api == "gateway-api" and code == "MESH212":
        after = {"ingress__service": "istio-system/inner"}
    assert reported({"api": api, **before}, {"api": api, **after}) == [(code, place)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {"versions__v1__tag": "43", "weights": {"v1": 10, "v2": 90}, "app__probe": "/healthz"}),
        ({"gateway__hosts": ["a.example.com"]}, {"gateway__hosts": ["*.example.com"]}),
        ({"gateway__hosts": ["a.example.com"]}, {"gateway__hosts": ["a.example.com", "b.example.com"]}),
        ({"versions__v1__replicas": 4}, {"versions__v1__replicas": 1}),
        ({"versions__v1__replicas": 4}, {"versions__v1__autoscaling": {"min": 1, "max": 4}}),
        ({"versions__v1__replicas": 1}, {"versions__v1__replicas": 4, "weights": {"v1": 0, "v2": 100}}),
        (
            {"versions__v2__replicas": 4},
            {"versions__v2__replicas": 1, "weights": {"v1": 50, "v2": 50}},
        ),
    ],
)
@pytest.mark.parametrize("api", ["istio", "gateway-api"])
def test_a_change_that_loses_none_is_not(before: dict[str, Any], after: dict[str, Any], api: str) -> None:
    """Least of all one of every day."""
    assert reported({"api": api, **before}, {"api": api, **after}) == []


def test_the_place_is_the_services_own() -> None:
    """Of several services, and the way that loses nothing names it too."""
    old, new = stack(**several()), stack(**several())
    port = {"kind": "Service", "metadata": {"name": "cart", "labels": {"app": "cart"}}}
    (issue,) = LossWarnings(new).of(
        {**port, "spec": service_spec(old.services[1])},
        {**port, "spec": {"ports": [{"port": 1}]}},
    )
    assert issue.path == Path() / "services" / "cart" / "app" / "port"
    assert "(mesh-app:services.cart)" in issue.fix


def test_the_engines_numbers_are_whole() -> None:
    """All of them come with a fraction."""
    gateway = servers.gateway(stack().services[0], stack().ingress)
    assert loss_warnings._plain({"a": [80.0, 1.5, "x", None]}) == {"a": [80, 1.5, "x", None]}  # noqa: SLF001
    assert [str(each) for each in sorted(addresses(gateway))] == ["http://*:80", "http://*:8066"]
