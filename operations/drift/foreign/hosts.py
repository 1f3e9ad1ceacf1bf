"""Rules for what touches a stack's hosts: routes, rules of callers, ways in, whatever names a host. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from operations.drift.field_ownership import Ownership
from operations.drift.foreign.reach import MESH, Reach, hosts_of, overlap, services_of, ways_of
from operations.kube.manifests import Manifest
from operations.pulumi_stack.stack_identity import PULUMI


def routes(each: Manifest, reach: Reach) -> str | None:
    """A route for the same host at the same way in, or in the stack's namespace to its Services."""
    namespace = each["metadata"].get("namespace", "")
    asked = [(host, namespace) for host in hosts_of(each)] + services_of(each)
    if service := next((own for asked_of in asked if (own := reach.service(*asked_of))), None):
        return f"routes what callers ask of Service {service}"
    if said := _at_a_gateway(each, reach):
        return said
    targets = (reach.service(backend, namespace) for backend in _destinations(each.get("spec") or {}))
    target = next(filter(None, targets), None)
    return f"routes to Service {target}" if target and reach.is_own(each) else None


def _at_a_gateway(each: Manifest, reach: Reach) -> str | None:
    hosts = [host.lower() for host in hosts_of(each)]
    for host in hosts:
        if reach.is_own(each) and any(overlap(host, own) for own in reach.hosts):
            return f"answers for {host}"
        if host in reach.hosts and _same_way(each, reach):
            return f"answers for {host} too"
    for way in reach.own_gateways & set(ways_of(each)):
        taken = next(filter(reach.takes, hosts or ["*"]), None)
        # Another stack may have joined the Gateway with a host of its own: that is declared, if not here.
        if taken and not _is_a_stacks(each):
            return f"answers for {taken} at Gateway {way}"
    return None


def _same_way(each: Manifest, reach: Reach) -> bool:
    # Another Gateway may stand before the same pods, so any but the mesh's own counts.
    entry_points = ["ingress"] if each["kind"] == "Ingress" else ways_of(each)
    return any(way != MESH for way in entry_points) or not reach.gateways


def _is_a_stacks(each: Manifest) -> bool:
    maker = Ownership.of(each).maker()
    return maker is not None and maker.manager.startswith(PULUMI)


def _destinations(value: Any) -> Iterator[str]:  # noqa: ANN401 (nested plain data)
    if isinstance(value, Mapping):
        if isinstance(value.get("host"), str):
            yield value["host"]
        if value.get("kind", "Service") == "Service" and "name" in value and {"port", "group"} & value.keys():
            yield f"{value['name']}.{value['namespace']}" if "namespace" in value else value["name"]
    for each in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
        yield from _destinations(each)


def entry(each: Manifest, reach: Reach) -> str | None:
    """A DestinationRule or ServiceEntry for a name of the stack's."""
    namespace, spec = each["metadata"].get("namespace", ""), each.get("spec") or {}
    for host in [*([spec["host"]] if "host" in spec else ()), *hosts_of(each)]:
        if service := reach.service(host, namespace):
            return f"says how Service {service} is called"
        if host.lower() in reach.hosts or (
            reach.is_own(each) and any(overlap(host.lower(), own) for own in reach.hosts)
        ):
            return f"says where {host} is"
    return None


def gateway(each: Manifest, reach: Reach) -> str | None:
    """A Gateway for one of the stack's hosts, or a waypoint in its namespace."""
    if reach.owns_place(each):
        return "opens a way into the stack's namespace"
    return next((f"answers for {host} too" for host in hosts_of(each) if host.lower() in reach.hosts), None)


def ingress(each: Manifest, reach: Reach) -> str | None:
    """An Ingress of the stack's namespace to one of its Services."""
    spec = each.get("spec") or {}
    paths = [path for rule in spec.get("rules") or () for path in (rule.get("http") or {}).get("paths", ())]
    backends = [path["backend"].get("service", {}).get("name") for path in paths]
    backends.append(((spec.get("defaultBackend") or {}).get("service") or {}).get("name"))
    own = (name for name in backends if reach.is_own(each) and name in reach.services)
    return next((f"routes to Service {name}" for name in own), None)


def names(each: Manifest, reach: Reach) -> str | None:
    """A policy, wherever it stands, that names a host or Service of the stack's, as a virtual host does."""
    for text in _texts(each.get("spec") or {}):
        host = text.rpartition("|")[2].partition(":")[0].lower()
        if host in reach.hosts or ("." in host and reach.service(host, "")):
            return f"changes what proxies do for {host}"
    return None


def _texts(value: Any) -> Iterator[str]:  # noqa: ANN401 (nested plain data)
    if isinstance(value, str):
        yield value
    for each in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
        yield from _texts(each)
