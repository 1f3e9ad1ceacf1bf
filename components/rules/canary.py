"""Rules about the canary's steps and checks."""

from collections.abc import Iterator

from components.model.canary import Step
from components.model.service import Service
from components.schema.durations import seconds
from components.schema.issues import Issue, Path, assign
from components.schema.messages import INTERVAL_EXCEEDS_HOLD, QUERY_WITHOUT_VERSION, STEP_DECREASES

VERSION = "$version"


def steps_go_up(service: Service, at: Path) -> Iterator[Issue]:
    """A canary only increases the weight of the new version."""
    before = 0
    for nth, step in enumerate(service.canary.steps if service.canary else ()):
        here = at / "canary" / "steps" / nth
        weight = step.weight if isinstance(step, Step) else step
        if weight < before:
            place = here / "weight" if isinstance(step, Step) else here
            yield STEP_DECREASES.at(place, weight, before=before, fix=assign(place, before))
        before = max(weight, before)


def samples_fit_the_steps(service: Service, at: Path) -> Iterator[Issue]:
    """A step that ends before its first sample has no verdict."""
    if (canary := service.canary) is None:
        return
    here = at / "canary"
    sample = seconds(canary.interval) or 0
    if sample > (seconds(canary.hold) or 0):
        yield INTERVAL_EXCEEDS_HOLD.at(here / "interval", canary.interval, hold=canary.hold)
        return
    for nth, step in enumerate(canary.steps):
        if isinstance(step, Step) and step.hold is not None and sample > (seconds(step.hold) or 0):
            place = here / "steps" / nth / "hold"
            yield INTERVAL_EXCEEDS_HOLD.at(here / "interval", canary.interval, hold=f"{step.hold} ({place})")


def queries_know_both_versions(service: Service, at: Path) -> Iterator[Issue]:
    """An expression without the version has the same value for both."""
    for nth, check in enumerate(service.canary.checks if service.canary else ()):
        query = check.query
        if query and query.times_old is not None and VERSION not in query.promql:
            here = at / "canary" / "checks" / nth / "query"
            yield QUERY_WITHOUT_VERSION.at(here / "promql", query.promql, version=VERSION)
