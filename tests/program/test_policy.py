"""The program's own stacks, held against the policy pack."""

import pytest

from mesh_laws.catalogue import LAWS
from mesh_laws.objects import Object
from tests.program.recorder import ROOT, Recording, run, stack_file

STACKS = sorted(path.name for path in ROOT.glob("Pulumi.*.yaml"))


@pytest.mark.parametrize("name", STACKS)
def test_the_programs_own_stacks_break_no_mandatory_law(name: str) -> None:
    """What we ask of others, our own stacks do, as production too."""
    objects = _declared(run(stack_file(name)))
    assert objects
    broken = [
        f"{law.name}: {breach}"
        for law in LAWS
        if law.level == "mandatory"
        for group in ([objects] if law.scope == "stack" else [[each] for each in objects])
        for breach in law.broken_in(group, {"production": ["*"]})
    ]
    assert broken == []


def _declared(recording: Recording) -> list[Object]:
    """List the objects that a stack owns; what it only reads is somebody else's."""
    found = (
        Object.read(each.type, each.name, each.urn, each.inputs)
        for each in recording.resources
        if not each.read
    )
    return [each for each in found if each is not None]
