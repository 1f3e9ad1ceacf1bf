"""Checks whether a canary can begin, and with which step."""

from collections.abc import Mapping
from typing import Any

from operations.canary.deploy.deployment import Deployment
from operations.canary.environment import Environment
from operations.canary.fixed_routes import fixed_routes, naming, weights_divide_alone
from operations.canary.journal.journal import Entry, Journal
from operations.canary.journal.run import Canary
from operations.canary.journal.status import is_over
from operations.canary.plan import WHOLE, Plan
from operations.canary.stack_file.edit import Place, config_of, keys_of, read
from operations.canary.terminal.text import split_of
from operations.canary.traffic import ROUTE
from operations.errors import OperationError
from operations.pulumi_stack.project import Project
from operations.pulumi_stack.services import MeshService

FIRST_SECONDS = 60.0
"""The window of the metrics that are queried before the canary begins."""


def begin(
    project: Project,
    stack: str,
    to: str | None,
    *,
    service: MeshService,
    deployment: Deployment,
    record: Journal,
) -> tuple[Canary, int]:
    """Make a new canary, and find its first step.

    Raises:
        OperationError: the canary cannot begin.
    """
    to = _version(to, service)
    entries = record.entries()
    if entries and not is_over(entries):
        raise OperationError(
            f"a canary of {entries[0]['service']} to {entries[0]['to']} is not over",
            fix=f"python -m operations canary --stack {stack} --resume; or --abort, to roll back",
        )
    before = dict(service.weights)
    deployed = _deployed(deployment.weights(), service.name, stack)
    _as_deployed(before, deployed, stack)
    if before[to] == WHOLE:
        raise OperationError(f"{to} already has all the traffic", fix="name another version: --to VERSION")
    text = read(project.stack_file(stack))
    place = Place.of(project.name, config_of(text), service.name)
    keys = keys_of(text, place)
    declared = keys.get("canary") or {}
    plan = Plan.of(declared)
    _is_free(keys, plan)
    if plan.remove_old:
        _can_remove_old(keys, before, to, place.path(project.name), stack)
    first = next(
        nth
        for nth, step in enumerate(plan.steps)
        if step.weight >= before[to] and (step.weight or not before[to])
    )
    one = Canary(
        service=service,
        to=to,
        declared=declared,
        before=before,
        divided=weights_divide_alone(keys),
        fixed=fixed_routes(keys),
        brought=to not in deployed,
        first=first,
    )
    return one, first


def can_judge(environment: Environment, one: Canary) -> None:
    """Check that Prometheus answers, and accepts every query of the plan.

    Raises:
        MetricsError: it does not; the first step would never get a verdict.
    """
    environment.measure(FIRST_SECONDS)
    for check in one.plan.checks:
        if check.promql is not None:
            environment.value(check, one.old, FIRST_SECONDS)


def unfinished(record: Journal, stack: str) -> list[Entry]:
    """Read the journal of the canary that is not over.

    Raises:
        OperationError: there is none.
    """
    entries = record.entries()
    if not entries or is_over(entries):
        raise OperationError(
            f"no canary of stack {stack} can be resumed",
            fix=f"python -m operations canary --stack {stack} --to VERSION begins one",
        )
    return entries


def _version(to: str | None, service: MeshService) -> str:
    known = ", ".join(service.weights)
    if to is None:
        raise OperationError(f"name a version of {service.name}: {known}", fix="--to VERSION")
    if to not in service.weights:
        raise OperationError(
            f"{service.name} has no version {to}; it has {known}",
            fix=f"declare {to} under versions in the stack file, or name another one: --to VERSION",
        )
    if len(service.weights) == 1:
        raise OperationError(
            f"{to} is the only version of {service.name}: there is no version to roll back to",
            fix="declare the version that has the traffic now under versions as well",
        )
    return to


def _deployed(outputs: Mapping[str, Any], service: str, stack: str) -> Mapping[str, Any]:
    """Return the versions of a service with their weights, as the last update deployed them."""
    own = outputs.get(service)
    deployed = own if isinstance(own, dict) else outputs
    if not deployed:
        raise OperationError(
            f"stack {stack} was never deployed, so the old version does not run yet",
            fix=f"pulumi up --stack {stack}",
        )
    return deployed


def _as_deployed(before: Mapping[str, int], deployed: Mapping[str, Any], stack: str) -> None:
    """Check that the weights of the stack file are deployed."""
    known = {version: round(deployed.get(version, 0)) for version in before}
    if known != before:
        raise OperationError(
            f"the stack file has {split_of(before)}, and the last update deployed {split_of(known)}",
            fix=f"restore the weights, or pulumi up --stack {stack}",
        )


def _is_free(keys: Mapping[str, Any], plan: Plan) -> None:
    """Check that the keys that the steps write are free."""
    if plan.mirrors and keys.get("mirror"):
        raise OperationError(
            "the plan has a step with mirror, and the service has a mirror of its own",
            fix="leave one of the two out of the stack file",
        )
    if any(each.get("name") == ROUTE for each in keys.get("routes") or ()):
        raise OperationError(
            f"the service has a route named {ROUTE}, the name of the canary's own route",
            fix="give that route another name in the stack file",
        )


def _can_remove_old(
    keys: Mapping[str, Any], before: Mapping[str, int], to: str, path: str, stack: str
) -> None:
    """Check that only the weights name a version that is removed at the end."""
    found = [(f"{path}{key}", version) for key, version in naming(keys, {*before} - {to})]
    if found:
        names = "; ".join(f"{key} names {version}" for key, version in found)
        remove = f"pulumi config rm --stack {stack} --path"
        raise OperationError(
            f"{path}canary.removeOld removes every version but {to}, and {names}",
            fix=f"{remove} '{found[0][0]}', then the route follows the weights; or do not remove versions: "
            f"{remove} '{path}canary.removeOld'",
        )
