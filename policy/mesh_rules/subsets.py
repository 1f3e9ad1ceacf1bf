"""Rules for the references from routes to subsets, and from subsets to pods."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from mesh_rules.objects import UNKNOWN, Object, Value, at, entries, may_equal, may_hold, of_kind
from mesh_rules.pods import CONTROLLERS, pod
from mesh_rules.routes import VIRTUAL_SERVICE, routes
from mesh_rules.rule import Rule, Violation

DESTINATION_RULE: Final = ("networking.istio.io", "DestinationRule")
SERVICE: Final = ("core", "Service")

_IN_CLUSTER: Final = re.compile(r"[^.*]+\.(?P<namespace>[^.]+)\.svc")


def host(name: Value, namespace: Value) -> Value:
    """Normalise a host: `cart` in shop, and `cart.shop.svc.cluster.local`, are `cart.shop.svc`.

    Istio completes only a name without dots, with the namespace of the object that has it.
    """
    if name is UNKNOWN or not isinstance(name, str):
        return name
    if "." in name or "*" in name:
        before, service, _ = name.partition(".svc.")
        return f"{before}.svc" if service else name
    return UNKNOWN if namespace is UNKNOWN else f"{name}.{namespace}.svc"


def _undeclared(objects: Sequence[Object]) -> Iterator[Violation]:
    rules = [
        (_host_of(rule), at(rule.fields, "spec", "subsets")) for rule in of_kind(objects, DESTINATION_RULE)
    ]
    for each in of_kind(objects, VIRTUAL_SERVICE):
        for path, destination in _destinations(each):
            subset = at(destination, "subset")
            target = host(at(destination, "host"), each.namespace)
            declared = subset in (None, "", UNKNOWN) or any(
                _covers(pattern, target) and _lists(subsets, subset) for pattern, subsets in rules
            )
            if not declared:
                yield Violation(
                    by=each,
                    path=f"{path}.subset",
                    value=subset,
                    fix=f"declare it in a DestinationRule for {at(destination, 'host')}, or use another",
                )


def _destinations(virtual_service: Object) -> Iterator[tuple[str, Value]]:
    for path, route in routes(virtual_service):
        for nth, weighted in entries(at(route, "route")):
            yield f"{path}.route[{nth}].destination", at(weighted, "destination")
        for nth, copied in entries(at(route, "mirrors")):
            yield f"{path}.mirrors[{nth}].destination", at(copied, "destination")
        yield f"{path}.mirror", at(route, "mirror")


def _host_of(rule: Object) -> Value:
    return host(at(rule.fields, "spec", "host"), rule.namespace)


def _covers(pattern: Value, target: Value) -> bool:
    """Return whether the host of a rule matches the target: `*.shop.svc`, `*.local`, `*`."""
    if may_equal(pattern, target):
        return True
    if not (isinstance(pattern, str) and isinstance(target, str) and pattern.startswith("*")):
        return False
    return target.endswith(pattern[1:]) or f"{target}.cluster.local".endswith(pattern[1:])


def _lists(subsets: Value, name: str) -> bool:
    names = [at(subset, "name") for _, subset in entries(subsets)]
    return subsets is UNKNOWN or any(may_equal(each, name) for each in names)


def _without_pods(objects: Sequence[Object]) -> Iterator[Violation]:
    workloads = [
        (each.namespace, at(pod(each)[1], "metadata", "labels")) for each in of_kind(objects, *CONTROLLERS)
    ]
    selectors = {
        host(each.name, each.namespace): at(each.fields, "spec", "selector")
        for each in of_kind(objects, SERVICE)
    }
    for each in of_kind(objects, DESTINATION_RULE):
        target = _IN_CLUSTER.fullmatch(str(_host_of(each)))
        if target is None:
            continue
        behind = [
            own
            for namespace, own in workloads
            if may_equal(namespace, target["namespace"]) and may_hold(own, selectors.get(target[0]))
        ]
        for nth, subset in entries(at(each.fields, "spec", "subsets")):
            labels = at(subset, "labels")
            known = labels not in (None, {}, UNKNOWN)
            if known and not any(may_hold(own, labels) for own in behind):
                yield Violation(
                    by=each,
                    path=f"spec.subsets[{nth}].labels",
                    value=labels,
                    fix="give the pods of a workload these labels, and those that the Service selects; if "
                    "another stack runs them, exempt this DestinationRule",
                )


RULES: Final = (
    Rule(
        name="subset-declared",
        description="A route goes to a subset that a DestinationRule of the stack declares.",
        level="mandatory",
        scope="stack",
        violations=_undeclared,
        example="`destination: {host: cart, subset: v3}`, without a DestinationRule for cart with v3",
    ),
    Rule(
        name="subset-has-pods",
        description="The labels of a subset select pods of a workload in the stack.",
        level="advisory",
        scope="stack",
        violations=_without_pods,
        example="`subsets: [{name: v3, labels: {version: v3}}]`, without a Deployment with these labels",
    ),
)
