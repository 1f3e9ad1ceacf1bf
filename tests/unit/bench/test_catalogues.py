"""The catalogues of changes and of manual edits."""

import pytest

from bench.changes import CHANGES, base, make
from bench.drift.edits import EDITS, STACKS


class Recorder:
    """A stack that notes what is deployed."""

    namespace = "shop"

    def __init__(self) -> None:
        self.settings = base(self.namespace)
        self.deployed: list[dict[str, object]] = []

    def configure(self, **settings: object) -> None:
        """Set keys; None removes one."""
        merged = {**self.settings, **settings}
        self.settings = {key: value for key, value in merged.items() if value is not None}

    def up(self) -> None:
        """Note the settings."""
        self.deployed.append(dict(self.settings))


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_unmade(change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends with the stack file that it started from, in the stack's own namespace."""
    commands: list[str] = []
    monkeypatch.setattr("bench.changes.run", lambda *words: commands.append(words[-1]))
    stack = Recorder()
    make(change, stack)
    assert stack.settings == base("shop")
    assert commands or stack.deployed
    assert "NAMESPACE" not in f"{stack.deployed} {commands}"


def test_an_edit_is_of_one_object_of_one_stack() -> None:
    """And names are its own."""
    assert len({each.name for each in EDITS}) == len(EDITS)
    for each in EDITS:
        assert each.stack in STACKS
        assert sum(map(bool, (each.patch, each.kubectl, each.create))) == 1, each.name


@pytest.mark.parametrize(
    ("name", "finding", "found"),
    [
        ("weight moved", {"kind": "VirtualService", "name": "shop"}, True),
        ("weight moved", {"kind": "VirtualService", "name": "other"}, False),
        ("weight moved", {"kind": "Service", "name": "shop"}, False),
        ("host appended to the Gateway", {"kind": "Gateway", "name": "shop"}, True),
        ("pod moved to another version", {"kind": "Pod", "name": "shop-v2-abc"}, True),
        ("pod moved to another version", {"kind": "Deployment", "name": "shop-v2"}, False),
    ],
)
def test_a_finding_counts_for_its_object(name: str, finding: dict[str, str], found: bool) -> None:
    """Another object's does not; pods have names that nobody knows beforehand."""
    (edit,) = (each for each in EDITS if each.name == name)
    assert edit.is_in([{"object": finding}]) is found
