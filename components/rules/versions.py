"""Rules about versions: names, ports, resources, scaling and disruption budgets."""

from collections.abc import Iterator
from math import ceil
from typing import Final

from components.model.service import Service
from components.model.stack import Stack
from components.model.types import PROXY_PORTS
from components.model.workload import amount
from components.schema.decode import encode
from components.schema.issues import Issue, Path, assign, command
from components.schema.messages import (
    BUDGET_BLOCKS,
    DUPLICATE,
    DUPLICATE_WORKLOAD,
    NAME_TOO_LONG,
    NO_ROOM_TO_SCALE,
    PROXY_PORT,
    REQUEST_OVER_LIMIT,
)

LONGEST_NAME: Final = 63


def names_fit(service: Service, at: Path) -> Iterator[Issue]:
    """A Deployment's name is also the value of a label, which has at most 63 characters."""
    for version in service.versions:
        derived = service.workload(version)
        if (excess := len(derived) - LONGEST_NAME) > 0:
            here = at / "versions" / version
            yield NAME_TOO_LONG.at(here, version, derived=derived, length=len(derived), excess=excess)


def workloads_are_distinct(stack: Stack, _: Path) -> Iterator[Issue]:
    """Each version has a Deployment of its own."""
    taken: dict[str, Path] = {}
    for place, service in stack.placed.items():
        for version in service.versions:
            here, derived = place / "versions" / version, service.workload(version)
            if derived in taken:
                yield DUPLICATE_WORKLOAD.at(here, version, derived=derived, other=taken[derived])
            taken.setdefault(derived, here)


def port_is_free(service: Service, at: Path) -> Iterator[Issue]:
    """The app and the sidecar share the ports of the pod."""
    if service.app.port in PROXY_PORTS:
        yield PROXY_PORT.at(at / "app" / "port", service.app.port)


def limits_hold_requests(service: Service, at: Path) -> Iterator[Issue]:
    """Kubernetes refuses a pod whose request exceeds its limit."""
    for name, version in service.versions.items():
        requests, limits = version.resources.requests, version.resources.limits
        here = at / "versions" / name / "resources" / "limits"
        for kind, request, limit in (
            ("cpu", requests.cpu, limits.cpu),
            ("memory", requests.memory, limits.memory),
        ):
            if limit is not None and amount(request) > amount(limit):
                fix = assign(here / kind, request)
                yield REQUEST_OVER_LIMIT.at(here / kind, limit, request=request, fix=fix)


def scaling_has_room(service: Service, at: Path) -> Iterator[Issue]:
    """An autoscaler's maximum must not be below its minimum."""
    for name, version in service.versions.items():
        scaling = version.autoscaling
        if scaling and scaling.min > scaling.max:
            here = at / "versions" / name / "autoscaling" / "max"
            yield NO_ROOM_TO_SCALE.at(here, scaling.max, least=scaling.min)


def budgets_allow_node_drains(service: Service, at: Path) -> Iterator[Issue]:
    """A budget that allows no eviction blocks every drain of a node."""
    for name, version in service.versions.items():
        budget = version.disruption_budget
        if budget is None:
            continue
        here = at / "versions" / name / "disruptionBudget"
        if budget.min_available is not None and _pods(budget.min_available, version.fewest) >= version.fewest:
            fix = f"{command('rm', here / 'minAvailable')}; {assign(here / 'maxUnavailable', 1)}"
            yield BUDGET_BLOCKS.at(
                here / "minAvailable", budget.min_available, fewest=version.fewest, fix=fix
            )
        if budget.max_unavailable == "0%":
            fix = assign(here / "maxUnavailable", 1)
            yield BUDGET_BLOCKS.at(here / "maxUnavailable", "0%", fewest=version.fewest, fix=fix)


def spreads_are_distinct(service: Service, at: Path) -> Iterator[Issue]:
    """The API server refuses two spread constraints on the same topology key."""
    for name, version in service.versions.items():
        spreads = [(each.over, each.required) for each in version.spread]
        for nth, each in enumerate(spreads):
            if each in spreads[:nth]:
                yield DUPLICATE.at(at / "versions" / name / "spread" / nth, encode(version.spread[nth]))


def _pods(wanted: int | str, of: int) -> int:
    """Return the number of pods; like Kubernetes, round a percentage up."""
    return wanted if isinstance(wanted, int) else ceil(of * int(wanted.rstrip("%")) / 100)
