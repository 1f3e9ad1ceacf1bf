"""Rules about the pods of a version."""

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
    NAME_TOO_LONG,
    NAME_TWICE,
    NO_ROOM_TO_SCALE,
    PROXY_PORT,
    REQUEST_OVER_LIMIT,
    TWICE,
)

LONGEST_NAME: Final = 63


def names_fit(service: Service, at: Path) -> Iterator[Issue]:
    """Names that are put together stay within what a label holds."""
    for version in service.versions:
        derived = service.workload(version)
        if (excess := len(derived) - LONGEST_NAME) > 0:
            here = at / "versions" / version
            yield NAME_TOO_LONG.at(here, version, derived=derived, length=len(derived), excess=excess)


def workloads_are_distinct(stack: Stack, _: Path) -> Iterator[Issue]:
    """Names that are put together stay apart."""
    taken: dict[str, Path] = {}
    for place, service in stack.placed.items():
        for version in service.versions:
            here, derived = place / "versions" / version, service.workload(version)
            if derived in taken:
                yield NAME_TWICE.at(here, version, derived=derived, other=taken[derived])
            taken.setdefault(derived, here)


def port_is_free(service: Service, at: Path) -> Iterator[Issue]:
    """App and sidecar share the ports of the pod."""
    if service.app.port in PROXY_PORTS:
        yield PROXY_PORT.at(at / "app" / "port", service.app.port)


def limits_hold_requests(service: Service, at: Path) -> Iterator[Issue]:
    """Kubernetes refuses a pod that is sure to get more than it may have."""
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
    """The autoscaler's range goes up."""
    for name, version in service.versions.items():
        scaling = version.autoscaling
        if scaling and scaling.min > scaling.max:
            here = at / "versions" / name / "autoscaling" / "max"
            yield NO_ROOM_TO_SCALE.at(here, scaling.max, least=scaling.min)


def budgets_allow_node_drains(service: Service, at: Path) -> Iterator[Issue]:
    """A budget that never lets a pod go holds up every maintenance of a node."""
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
    """The API server refuses a pod that says two things of one distance."""
    for name, version in service.versions.items():
        said = [(each.over, each.required) for each in version.spread]
        for nth, each in enumerate(said):
            if each in said[:nth]:
                yield TWICE.at(at / "versions" / name / "spread" / nth, encode(version.spread[nth]))


def _pods(wanted: int | str, of: int) -> int:
    """Count the pods as Kubernetes does: a share is rounded up."""
    return wanted if isinstance(wanted, int) else ceil(of * int(wanted.rstrip("%")) / 100)
