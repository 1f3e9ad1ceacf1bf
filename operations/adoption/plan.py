"""Plans what happens to every object, and deletes those that are replaced."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from components.model.handover import Handover
from operations.adoption.app_objects import AppObjects, gateways_of
from operations.errors import OperationError
from operations.kube.cluster import Cluster, in_kind, same_object, spelled
from operations.kube.manifests import Manifest, manifests
from operations.kube.proxies import synced
from operations.pulumi_stack.recorder import Resource


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What happens to every object."""

    namespace: str
    taken: Sequence[Manifest]
    """Existing objects that become the stack's own."""
    made: Sequence[Manifest]
    """New objects."""
    retired: Sequence[Manifest]
    """Objects that are replaced; they are deleted last, routes first."""
    left: Sequence[Manifest]
    """Objects that are not changed."""


def plan(family: AppObjects, resources: Sequence[Resource], cluster: Cluster) -> Plan:
    """Decide what happens to every object.

    Raises:
        OperationError: a Deployment would have to be replaced, with its pods, or the existing Service would
            not select the program's pods.
    """
    declared = manifests(resources)
    live = {id(each): cluster.find(each) for each in declared}
    for each in in_kind(declared, "Deployment"):
        _fits(each, live[id(each)])
        _is_found(each, cluster.find(family.service))
    replaced = [each for each in family.members if not any(same_object(each, own) for own in declared)]
    used = _used_by_others(family, cluster) | {
        f"Gateway {name.partition('/')[2]}"
        for each in in_kind(declared, "VirtualService")
        for name in gateways_of(each, family.namespace)
    }
    retired = [each for each in replaced if spelled(each) not in used and cluster.find(each)]
    return Plan(
        namespace=family.namespace,
        taken=[each for each in declared if live[id(each)]],
        made=[each for each in declared if not live[id(each)]],
        retired=sorted(retired, key=lambda each: each["kind"] != "VirtualService"),
        left=[*family.others, *(each for each in replaced if spelled(each) in used)],
    )


def retire(plan: Plan, cluster: Cluster, handover: Handover, report_line: Callable[[str], None]) -> None:
    """Delete what the stack has replaced: routes first, and the rest once no proxy uses these routes.

    Raises:
        OperationError: the proxies have not acknowledged the change in time.
    """
    routes = in_kind(plan.retired, "VirtualService")
    if routes:
        with synced(cluster.context, handover, report_line):
            _delete(routes, cluster, report_line)
    _delete([each for each in plan.retired if each not in routes], cluster, report_line)


def _delete(objects: Sequence[Manifest], cluster: Cluster, report_line: Callable[[str], None]) -> None:
    for each in objects:
        report_line(f"delete {spelled(each)}")
        cluster.delete(each)


def _fits(declared: Manifest, live: Manifest | None) -> None:
    now = live and live["spec"]["selector"]
    wanted = declared["spec"]["selector"]
    if now and now != wanted:
        raise OperationError(
            f"{spelled(declared)}: spec.selector is {now}, and the program needs {wanted}; the selector of a "
            "Deployment cannot be changed, and a replacement would delete its pods",
            fix="give the version another name in the stack file, in versions and weights, and run this "
            "again: its pods are created beside the old ones, which are deleted last",
        )


def _is_found(deployment: Manifest, service: Manifest | None) -> None:
    """Check that the existing Service selects the program's pods and knows their port."""
    if service is None:
        return
    template = deployment["spec"]["template"]
    name, selector = service["metadata"]["name"], service["spec"]["selector"]
    if not selector.items() <= template["metadata"]["labels"].items():
        raise OperationError(
            f"Service {name}: spec.selector is {selector}, and the program's pods have "
            f"{template['metadata']['labels']}: once they replace the old ones, it would select no pod",
            fix=f"kubectl edit service {name}: keep only labels in the selector that both have",
        )
    ports = [each for container in template["spec"]["containers"] for each in container.get("ports", ())]
    for nth, port in enumerate(service["spec"]["ports"]):
        target = port.get("targetPort", port["port"])
        if isinstance(target, str) and target not in [each.get("name") for each in ports]:
            patch = f'[{{"op": "replace", "path": "/spec/ports/{nth}/targetPort", "value": PORT}}]'
            raise OperationError(
                f"Service {name}: spec.ports[{nth}].targetPort is {target}, and no port of the program's "
                "pods has that name: once they replace the old ones, it would have no endpoints",
                fix=f"kubectl patch service {name} --type json --patch '{patch}', with the port's number",
            )


def _used_by_others(family: AppObjects, cluster: Cluster) -> set[str]:
    """List the app's Gateways that other VirtualServices name."""
    own = {each["metadata"]["name"] for each in family.routes}
    others = [
        each
        for each in cluster.every("networking.istio.io/v1", "VirtualService")
        if each["metadata"]["name"] not in own or each["metadata"]["namespace"] != family.namespace
    ]
    named = {
        gateway if "/" in gateway else f"{each['metadata']['namespace']}/{gateway}"
        for each in others
        for gateway in each["spec"].get("gateways", ())
    }
    return {f"Gateway {name.partition('/')[2]}" for name in named if name.startswith(f"{family.namespace}/")}
