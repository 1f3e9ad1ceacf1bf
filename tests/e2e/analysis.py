"""What `istioctl analyze` says of many configurations at once, from files alone."""

from collections.abc import Iterator, Sequence
from typing import Any

from components.manifests.listeners import entry_points
from tests.e2e.configurations import Case, Manifest

SIDECAR: Manifest = {"name": "istio-proxy", "image": "auto"}
SHARED_PORT = 80
CERTIFICATE = "bm9uZQ=="
"""Nobody reads it: that a Secret is there is all that is asked."""


def beside_each_other(cases: Sequence[Case]) -> list[Manifest]:
    """Give each configuration a namespace of its own, and what it finds in the cluster it is made for."""
    return [each for case in cases for each in (*_moved(case), *_found(case), *_pods(case))]


def _moved(case: Case) -> Iterator[Manifest]:
    for each in case.objects:
        metadata = dict(each["metadata"])
        if each["kind"] == "Namespace":
            metadata["name"] = _own(case)
        else:
            metadata["namespace"] = _place(case, metadata["namespace"])
        yield {**each, "metadata": metadata}


def _found(case: Case) -> Iterator[Manifest]:
    """The ingress that the stack does not make: its Service, and a pod of its gateway."""
    namespace = _ingress(case)
    labels = dict(case.stack.ingress.selector)
    ports = [
        {"name": f"http-{port}", "port": port, "targetPort": port}
        for port in sorted({SHARED_PORT, *case.ports})
    ]
    yield {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": namespace, "labels": {"istio-injection": "disabled"}},
    }
    yield {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": case.stack.ingress.service.partition("/")[2], "namespace": namespace},
        "spec": {"selector": labels, "ports": ports},
    }
    yield _pod("gateway", namespace, {"labels": labels}, [SIDECAR])
    for place, service in case.stack.placed.items():
        for way in entry_points(service, place):
            if way.tls:
                yield {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls"} | {
                    "metadata": {"name": way.tls.secret, "namespace": namespace},
                    "data": {"tls.crt": CERTIFICATE, "tls.key": CERTIFICATE, "ca.crt": CERTIFICATE},
                }
        if service.gateway.existing:
            yield _shared(service.gateway.existing, labels, case.stack.api)


def _shared(existing: str, selector: Manifest, api: str) -> Manifest:
    """A Gateway that somebody else keeps."""
    namespace, _, name = existing.partition("/")
    port = {"number": SHARED_PORT, "name": "http", "protocol": "HTTP"}
    if api == "gateway-api":
        every = {"allowedRoutes": {"namespaces": {"from": "All"}}}
        return {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "Gateway",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {
                "gatewayClassName": "istio",
                "listeners": [{"name": "http", "port": SHARED_PORT, "protocol": "HTTP", **every}],
            },
        }
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "Gateway",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"selector": selector, "servers": [{"port": port, "hosts": ["*"]}]},
    }


def _pods(case: Case) -> Iterator[Manifest]:
    """A pod of each Deployment, as its controller and the injector make it."""
    injection = case.stack.namespace.injection
    for each in case.objects:
        if each["kind"] != "Deployment":
            continue
        template = each["spec"]["template"]
        asked = template["metadata"]["labels"].get("sidecar.istio.io/inject")
        none = (
            injection in ("disabled", "ambient") or asked == "false" or (injection == "manual" and not asked)
        )
        containers = [*template["spec"]["containers"], *([] if none else [SIDECAR])]
        yield _pod(each["metadata"]["name"], _own(case), template["metadata"], containers)


def _pod(name: str, namespace: str, metadata: Manifest, containers: list[Any]) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**metadata, "name": name, "namespace": namespace},
        "spec": {"containers": containers},
        "status": {"phase": "Running"},
    }


def _place(case: Case, namespace: str) -> str:
    return _ingress(case) if namespace == case.stack.ingress.namespace else _own(case)


def _own(case: Case) -> str:
    return f"case-{case.number}"


def _ingress(case: Case) -> str:
    return f"ingress-{case.number}"
