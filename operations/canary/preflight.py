"""Whether a canary can begin, and with which step."""

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
from operations.canary.terminal.view import split_of
from operations.canary.traffic import ROUTE
from operations.errors import OperationError
from operations.pulumi_stack.project import Project
from operations.pulumi_stack.services import MeshService

FIRST_SECONDS = 60.0
"""Of figures that are asked for before anything begins."""


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
        OperationError: it cannot begin.
    """
    to = _version(to, service)
    entries = record.entries()
    if entries and not is_over(entries):
        raise OperationError(
            f"a canary of {entries[0]['service']} to {entries[0]['to']} is not over",
            fix=f"python -m operations canary --stack {stack} --resume; or --abort, to have everybody back",
        )
    before = dict(service.weights)
    deployed = _deployed(deployment.weights(), service.name, stack)
    _as_deployed(before, deployed, stack)
    if before[to] == WHOLE:
        raise OperationError(f"{to} has all the traffic already", fix="name another version: --to VERSION")
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
    """See that Prometheus answers, and takes every query of the plan.

    Raises:
        MetricsError: it does not, so that the first step would wait for a verdict that never comes.
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
            f"no canary of stack {stack} waits to go on",
            fix=f"python -m operations canary --stack {stack} --to VERSION begins one",
        )
    return entries


def _version(to: str | None, service: MeshService) -> str:
    known = ", ".join(service.weights)
    if to is None:
        raise OperationError(f"which version of {service.name} is meant: {known}?", fix="--to VERSION")
    if to not in service.weights:
        raise OperationError(
            f"{service.name} has no version {to}; it has {known}",
            fix=f"declare {to} under versions in the stack file, or name another one: --to VERSION",
        )
    if len(service.weights) == 1:
        raise OperationError(
            f"{to} is the only version of {service.name}: nobody could go back",
            fix="declare the version that serves now under versions as well",
        )
    return to


def _deployed(outputs: Mapping[str, Any], service: str, stack: str) -> Mapping[str, Any]:
    """Read which versions of a service the last update left, and with which weights."""
    own = outputs.get(service)
    deployed = own if isinstance(own, dict) else outputs
    if not deployed:
        raise OperationError(
            f"stack {stack} was never deployed, so nobody has the old version yet",
            fix=f"pulumi up --stack {stack}",
        )
    return deployed


def _as_deployed(before: Mapping[str, int], deployed: Mapping[str, Any], stack: str) -> None:
    """Hold the stack file against the last update: weights that were never deployed are nobody's plan."""
    known = {version: round(deployed.get(version, 0)) for version in before}
    if known != before:
        raise OperationError(
            f"the stack file says {split_of(before)}, and the last update gave {split_of(known)}",
            fix=f"put the weights back, or pulumi up --stack {stack}",
        )


def _is_free(keys: Mapping[str, Any], plan: Plan) -> None:
    """See that what the steps write is nobody else's."""
    if plan.mirrors and keys.get("mirror"):
        raise OperationError(
            "the plan has a step with mirror, and the service has a mirror of its own",
            fix="leave one of the two out of the stack file",
        )
    if any(each.get("name") == ROUTE for each in keys.get("routes") or ()):
        raise OperationError(
            f"the service has a route named {ROUTE}, which is the name of the canary's own",
            fix="give that route another name in the stack file",
        )


def _can_remove_old(
    keys: Mapping[str, Any], before: Mapping[str, int], to: str, path: str, stack: str
) -> None:
    """See that nothing but the weights names a version that goes in the end."""
    found = [(f"{path}{key}", version) for key, version in naming(keys, {*before} - {to})]
    if found:
        said = "; ".join(f"{key} names {version}" for key, version in found)
        remove = f"pulumi config rm --stack {stack} --path"
        raise OperationError(
            f"{path}canary.removeOld takes away every version but {to}, and {said}",
            fix=f"{remove} '{found[0][0]}', after which a route follows the weights; or keep the versions: "
            f"{remove} '{path}canary.removeOld'",
        )
