"""The program's own stacks, checked by the policy pack."""

import pytest

from mesh_rules.catalogue import RULES
from mesh_rules.objects import Object
from tests.program.recorder import ROOT, Recording, run, stack_file

STACKS = sorted(path.name for path in ROOT.glob("Pulumi.*.yaml"))


@pytest.mark.parametrize("name", STACKS)
def test_the_programs_own_stacks_break_no_mandatory_rule(name: str) -> None:
    """Even as production stacks."""
    objects = _declared(run(stack_file(name)))
    assert objects
    broken = [
        f"{rule.name}: {violation}"
        for rule in RULES
        if rule.level == "mandatory"
        for group in ([objects] if rule.scope == "stack" else [[each] for each in objects])
        for violation in rule.broken_in(group, {"production": ["*"]})
    ]
    assert broken == []


def _declared(recording: Recording) -> list[Object]:
    """List the objects that a stack owns, without those that it only reads."""
    found = (
        Object.read(each.type, each.name, each.urn, each.inputs)
        for each in recording.resources
        if not each.read
    )
    return [each for each in found if each is not None]
