"""What a canary says before it begins: `--preview`, with the program's own answer to each step."""

from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from operations.canary import command
from operations.metrics.service_metrics import MetricsReader
from tests.unit.operations.canary.test_preview import FOLLOWING
from tests.unit.operations.projects import project


class Deployed:
    """A stack that is as its stack file says."""

    backend = "nobody@nowhere"

    def __init__(self, *_: object) -> None:
        """Take whatever a deployment takes."""

    def weights(self) -> Mapping[str, int]:
        """Read the output."""
        return {"v1": 100, "v2": 0}

    def changes(self) -> Sequence[Any]:
        """Find nothing to deploy."""
        return ()


def preview(folder: Path, monkeypatch: pytest.MonkeyPatch, **keys: object) -> str:
    """Run `canary --to v2 --preview` for a stack file; returns what it printed."""
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    monkeypatch.setattr(command, "Deployment", Deployed)
    monkeypatch.setattr(command, "meant_cluster", lambda _: None)
    monkeypatch.setattr(MetricsReader, "of", lambda *_: None)
    config = FOLLOWING | {f"mesh-app:{key}": value for key, value in keys.items()}
    said = StringIO()
    console = Console(file=said, highlight=False, markup=False, soft_wrap=True)
    request = command.Request(stack="prod", to="v2", preview=True)
    assert command.canary(project(folder, "prod", config), request, console) == 0
    return said.getvalue()


def test_routes_that_do_not_follow_are_listed_before_anything_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Name, conditions and where it goes; the others stand among the changes of each step."""
    said = preview(tmp_path, monkeypatch, canary={"steps": [20]})
    listed = "routes with their own `to` do not follow the weights, and no step changes them:\n"
    assert f"{listed}  legacy {{uri: /legacy}} → v1\n" in said
    assert "VirtualService web spec.http[tax].route[1].weight: 0 → 20\n" in said
    assert "legacy]" not in said


def test_where_all_routes_follow_nothing_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the split is judged: nothing divides the traffic but the weights."""
    routes = [each for each in FOLLOWING["mesh-app:routes"] if "to" not in each]
    said = preview(tmp_path, monkeypatch, routes=routes)
    assert "no step changes" not in said
    assert "not judged" not in said
