"""What each step changes in the cluster, from a run of the program for each step."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from operations.canary.plan import Plan
from operations.canary.stack_file.edit import Place, config_of, read, uneditable, with_traffic
from operations.canary.stack_file.yaml_text import UneditableStackFile
from operations.canary.traffic import of_step, roll_back, unmoved
from operations.drift.diff import differences
from operations.kube.cluster import Cluster, same_object, spelled
from operations.kube.fields import ABSENT, Path, flow, spelled_path
from operations.kube.manifests import Manifest, manifests
from operations.kube.redaction import without_secret_values
from operations.pulumi_stack.program import learn_each
from operations.pulumi_stack.project import Project


@dataclass(frozen=True, kw_only=True)
class StepPreviews:
    """The objects that each step of a canary declares, and those of a rollback."""

    now: Sequence[Manifest]
    """What the present stack file declares."""
    before: Sequence[Manifest]
    """What it declares with the weights before the canary, which may be those of no step."""
    roll_back: Sequence[Manifest]
    steps: Sequence[Sequence[Manifest]]

    def changes_from(self, first: int) -> list[list[str]]:
        """List for each step from one on the changes to the step before, field by field."""
        stages = [self.now, *self.steps[first:]]
        return [list(changes(one, other)) for one, other in pairwise(stages)]

    def deployed_step(self, cluster: Cluster) -> int | None:
        """Find the step of the live routes: -1 for before the first step or a rollback, None for no step.

        A killed update may have changed only some of several route objects: then it is the earlier step.

        Raises:
            OperationError: the cluster does not answer.
        """
        stages = [self.before, self.roll_back, *self.steps]
        moved = [each for each in self.roll_back if any(_same(stage, each) != each for stage in stages)]
        of_each = []
        for each in moved:
            live = cluster.read(each)
            of_each.append({nth for nth, stage in enumerate(stages) if _is_as(_same(stage, each), live)})
        if of_all := set(range(len(stages))).intersection(*of_each):
            return max(max(of_all) - 2, -1)
        return max(min(map(max, of_each)) - 2, -1) if all(of_each) else None


def stages(
    project: Project, stack: str, service: str, *, plan: Plan, to: str, before: Mapping[str, int]
) -> StepPreviews:
    """Run the program for every step.

    Raises:
        OperationError: a step cannot be written into the stack file, or the program refuses it.
    """
    file = project.stack_file(stack)
    text = read(file)
    place = Place.of(project.name, config_of(text), service)
    wanted = [
        unmoved(plan, before),
        roll_back(plan, to, before),
        *(of_step(step, plan, to, before) for step in plan.steps),
    ]
    try:
        drafts = [text, *(with_traffic(text, place, traffic) for traffic in wanted)]
    except UneditableStackFile as error:
        raise uneditable(file, error) from error
    declared = learn_each([project.with_draft(stack, draft) for draft in drafts], stack)
    now, begun, first, *others = [manifests(each.resources) for each in declared]
    return StepPreviews(now=now, before=begun, roll_back=first, steps=others)


def changes(before: Sequence[Manifest], after: Sequence[Manifest]) -> Iterator[str]:
    """List the changes between two lists of objects, one line for each field."""
    for each in after:
        old = _same(before, each)
        if old is None:
            yield f"{spelled(each)} is created"
        elif old != each:
            for one in differences(old, each):
                values = [_shown(value, one.path) for value in (one.declared, one.live)]
                yield f"{spelled(each)} {spelled_path(one.path)}: {' → '.join(values)}"
    yield from (f"{spelled(each)} is deleted" for each in before if _same(after, each) is None)


def _is_as(wanted: Manifest | None, live: Manifest | None) -> bool:
    return bool(wanted and live) and not differences(wanted or {}, live or {})


def _same(objects: Sequence[Manifest], wanted: Manifest) -> Manifest | None:
    return next((each for each in objects if same_object(each, wanted)), None)


def _shown(value: object, path: Path) -> str:
    return "nothing" if value is ABSENT else flow(without_secret_values(value, path))
