"""Rules about the plan by which a new version gets its traffic."""

from collections.abc import Iterator

from components.model.canary import Step
from components.model.service import Service
from components.schema.durations import seconds
from components.schema.issues import Issue, Path, assign
from components.schema.messages import CANARY_FALLS, OLD_UNNAMED, SAMPLE_OUTLASTS

VERSION = "$version"


def steps_go_up(service: Service, at: Path) -> Iterator[Issue]:
    """A canary that gives less than before is on its way back."""
    before = 0
    for nth, step in enumerate(service.canary.steps if service.canary else ()):
        here = at / "canary" / "steps" / nth
        weight = step.weight if isinstance(step, Step) else step
        if weight < before:
            place = here / "weight" if isinstance(step, Step) else here
            yield CANARY_FALLS.at(place, weight, before=before, fix=assign(place, before))
        before = max(weight, before)


def samples_fit_the_steps(service: Service, at: Path) -> Iterator[Issue]:
    """A step that ends before the first look would be judged by nothing."""
    if (canary := service.canary) is None:
        return
    here = at / "canary"
    sample = seconds(canary.interval) or 0
    if sample > (seconds(canary.hold) or 0):
        yield SAMPLE_OUTLASTS.at(here / "interval", canary.interval, hold=canary.hold)
        return
    for nth, step in enumerate(canary.steps):
        if isinstance(step, Step) and step.hold is not None and sample > (seconds(step.hold) or 0):
            place = here / "steps" / nth / "hold"
            yield SAMPLE_OUTLASTS.at(here / "interval", canary.interval, hold=f"{step.hold} ({place})")


def queries_know_both_versions(service: Service, at: Path) -> Iterator[Issue]:
    """Without the version in it, an expression gives both the same value."""
    for nth, check in enumerate(service.canary.checks if service.canary else ()):
        query = check.query
        if query and query.times_old is not None and VERSION not in query.promql:
            here = at / "canary" / "checks" / nth / "query"
            yield OLD_UNNAMED.at(here / "promql", query.promql, version=VERSION)
