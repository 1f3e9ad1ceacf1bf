"""Decide whether an object affects a stack's routing, callers, pods or scaling. Pure."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from operations.drift.field_ownership import Ownership
from operations.drift.stack_scope import MESH, StackScope, gateways_of, hosts_of, overlap
from operations.kube.manifests import Manifest
from operations.pulumi_stack.stack_identity import PULUMI

ROOT_NAMESPACE: Final = "istio-system"
"""Istio's default root namespace: a selector there applies to the pods of all namespaces."""
APP: Final = "app.kubernetes.io/name"

Rule = Callable[[Manifest, StackScope], str | None]
"""Returns what an object affects; None if it does not affect the stack."""


def route(each: Manifest, scope: StackScope) -> str | None:
    """A VirtualService or HTTPRoute for a host of the stack, or in its namespace to one of its Services."""
    namespace, spec = each["metadata"].get("namespace", ""), each.get("spec") or {}
    parents = [one for one in spec.get("parentRefs") or () if one.get("kind") == "Service"]
    called = [(host, namespace) for host in hosts_of(each)]
    called += [(one["name"], one.get("namespace", namespace)) for one in parents]
    if service := next((own for host in called if (own := scope.service(*host))), None):
        return f"routes requests for Service {service}"
    if host := _taken_host(each, scope):
        return f"routes requests for {host}"
    targets = (scope.service(backend, namespace) for backend in _destinations(spec))
    target = next(filter(None, targets), None)
    return f"routes to Service {target}" if target and scope.in_namespace(each) else None


def _taken_host(each: Manifest, scope: StackScope) -> str | None:
    hosts, gateways = [host.lower() for host in hosts_of(each)], gateways_of(each)
    for host in hosts:
        if scope.in_namespace(each) and any(overlap(host, own) for own in scope.hosts):
            return host
        # A different Gateway may select the same ingress pods.
        if host in scope.hosts and (any(name != MESH for name in gateways) or not scope.gateways):
            return host
    for gateway in scope.own_gateways & set(gateways):
        own_hosts = scope.hosts | scope.wildcards
        taken = next((host for host in hosts or ["*"] if any(overlap(host, own) for own in own_hosts)), None)
        # Another stack may use this Gateway for a host that it declares itself.
        maker = Ownership.of(each).maker()
        if taken and not (maker and maker.manager.startswith(PULUMI)):
            return f"{taken} at Gateway {gateway}"
    return None


def _destinations(value: Any) -> Iterator[str]:  # noqa: ANN401 (nested plain data)
    if isinstance(value, Mapping):
        if isinstance(value.get("host"), str):
            yield value["host"]
        if value.get("kind", "Service") == "Service" and "name" in value and {"port", "group"} & value.keys():
            yield f"{value['name']}.{value['namespace']}" if "namespace" in value else value["name"]
    for each in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
        yield from _destinations(each)


def host_rule(each: Manifest, scope: StackScope) -> str | None:
    """A DestinationRule or ServiceEntry for a host or Service of the stack."""
    namespace, spec = each["metadata"].get("namespace", ""), each.get("spec") or {}
    for host in [*([spec["host"]] if "host" in spec else ()), *hosts_of(each)]:
        if service := scope.service(host, namespace):
            return f"configures calls to Service {service}"
        is_near = scope.in_namespace(each) and any(overlap(host.lower(), own) for own in scope.hosts)
        if host.lower() in scope.hosts or is_near:
            return f"configures calls to {host}"
    return None


def gateway(each: Manifest, scope: StackScope) -> str | None:
    """A Gateway for a host of the stack, or in its namespace."""
    if scope.in_owned_namespace(each):
        return "adds a listener in the stack's namespace"
    host = next((host for host in hosts_of(each) if host.lower() in scope.hosts), None)
    return f"adds a listener for {host}" if host else None


def policy(each: Manifest, scope: StackScope) -> str | None:
    """A policy that selects pods of the stack: by labels, by `targetRefs`, or all pods of its namespace.

    In the root namespace, a policy without a selector belongs to the mesh and is not reported.
    """
    spec, namespace = each.get("spec") or {}, each["metadata"].get("namespace", "")
    targets = [*(spec.get("targetRefs") or ()), *([spec["targetRef"]] if "targetRef" in spec else ())]
    for target in targets:
        if scope.in_namespace(each) and (target["name"] in scope.services or target["kind"] == "Gateway"):
            return f"applies to {target['kind']} {target['name']}"
    labels = (spec.get("selector") or {}).get("matchLabels") or {}
    labels = labels or (spec.get("workloadSelector") or {}).get("labels") or {}
    selects_all = namespace != ROOT_NAMESPACE and each["kind"] != "ServiceEntry"
    if targets or not (labels or selects_all):
        return None
    return _selected({"matchLabels": labels}, namespace, scope)


def named_host(each: Manifest, scope: StackScope) -> str | None:
    """A policy in any namespace that contains a host or Service of the stack, like a virtual host's name."""
    for text in _texts(each.get("spec") or {}):
        host = text.rpartition("|")[2].partition(":")[0].lower()
        if host in scope.hosts or ("." in host and scope.service(host, "")):
            return f"configures proxies for {host}"
    return None


def _texts(value: Any) -> Iterator[str]:  # noqa: ANN401 (nested plain data)
    if isinstance(value, str):
        yield value
    for each in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
        yield from _texts(each)


def pod_selector(field: str) -> Rule:
    """Return the rule for a kind that selects pods by a field of its spec."""

    def rule(each: Manifest, scope: StackScope) -> str | None:
        selector = (each.get("spec") or {}).get(field)
        namespace = each["metadata"].get("namespace", "")
        # The selector of a Service has no matchLabels, and an empty one selects no pods.
        if each["kind"] == "Service" and selector is not None:
            selector = {"matchLabels": selector} if selector else None
        return None if selector is None else _selected(selector, namespace, scope)

    return rule


def _selected(selector: Mapping[str, Any], namespace: str, scope: StackScope) -> str | None:
    namespaces = scope.namespaces if namespace == ROOT_NAMESPACE else {namespace}
    if not (selector.get("matchLabels") or selector.get("matchExpressions")):
        namespaces &= scope.owned  # in a shared namespace, such an object is its owner's
    found = (scope.deployment(selector, name) for name in sorted(namespaces))
    return next((f"selects the pods of Deployment {name}" for name in found if name), None)


def scaler(each: Manifest, scope: StackScope) -> str | None:
    """An autoscaler of one of the stack's Deployments."""
    target = (each.get("spec") or {}).get("scaleTargetRef") or {}
    name = target.get("name") if target.get("kind") == "Deployment" and scope.in_namespace(each) else None
    return f"scales Deployment {name}" if name in scope.deployments else None


def pod(each: Manifest, scope: StackScope) -> str | None:
    """A pod that receives requests of the stack's Service, or was removed from one of its Deployments."""
    metadata = each["metadata"]
    controller = next((one for one in metadata.get("ownerReferences") or () if one.get("controller")), None)
    is_own = controller and controller["name"].rpartition("-")[0] in scope.deployments
    if not scope.in_namespace(each) or is_own or metadata.get("deletionTimestamp"):
        return None
    labels = metadata.get("labels") or {}
    owner = f"; {controller['kind']} {controller['name']} created it" if controller else ""
    for name, selector in scope.services.items():
        if selector and selector.items() <= labels.items():
            return f"receives requests of Service {name}{owner}"
    apps = {own.get(APP) for own in scope.deployments.values()} - {None}
    is_removed = not controller and "pod-template-hash" in labels and labels.get(APP) in apps
    return "was removed from a Deployment of the stack" if is_removed else None
