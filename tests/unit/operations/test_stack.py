"""Pulumi's errors reach the caller."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pulumi import automation as auto

from operations.errors import OperationError
from operations.pulumi_stack import stack

WHY = "springbootapp: istiod did not answer: no answer within 30 s"
PARTING = "\n".join(f"    ~ versions[{nth}]" for nth in range(stack.LOG_LINES))
"""Pulumi's last lines are the outputs, whatever has failed."""


class Failing:
    """A stack whose program fails."""

    def __init__(self, *_: object) -> None:
        self.refresh = self.up = self.preview = self._fail

    def _fail(self, *, on_event: Callable[[Any], None], **_: object) -> None:
        said = SimpleNamespace(severity="error", message=f"{WHY}\n")
        on_event(SimpleNamespace(diagnostic_event=said, resource_pre_event=None))
        raise auto.CommandError(auto.CommandResult(stdout=f"{WHY}\n{PARTING}", stderr="", code=255))


@pytest.mark.parametrize("verb", ["preview", "refresh", "up"])
def test_a_failure_gives_pulumis_reason(verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the last lines of what it printed, which are the stack's outputs."""
    (tmp_path / "Pulumi.yaml").write_text("name: failing\nruntime: nodejs\n")
    monkeypatch.setattr(auto.Stack, "select", Failing)
    monkeypatch.setattr(auto, "LocalWorkspace", lambda **_: SimpleNamespace())
    monkeypatch.setattr(stack, "installed", lambda: None)
    told: list[str] = []
    with pytest.raises(OperationError) as failed:
        getattr(stack.PulumiStack(tmp_path, "dev", told.append), verb)()
    assert failed.value.evidence == WHY
