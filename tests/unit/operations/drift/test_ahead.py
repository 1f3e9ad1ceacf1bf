"""A check that was prepared tells what is live now, of the stack file that is there now."""

from pathlib import Path

import pytest

from operations.drift import ahead
from operations.drift.ahead import Ahead
from operations.drift.check import Declared, Observed, compare
from operations.drift.findings import Report
from operations.drift.snapshot import Snapshot
from operations.drift.state import State
from operations.errors import OperationError
from operations.pulumi_stack.project import Project
from tests.unit.operations.drift.live import declared, edited, made, snapshot, state

STACK = "dev"


class Cluster:
    """A cluster, and everybody who reads it or runs the program."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.wanted = declared(STACK)
        self.live = [made(each) for each in self.wanted.manifests]
        self.anew = 0
        self.broken = False
        monkeypatch.setattr(Declared, "by", lambda *_: self._declare())
        monkeypatch.setattr(State, "of", lambda *_: state(STACK))
        monkeypatch.setattr(Snapshot, "take", lambda *_: snapshot(list(self.live)))
        monkeypatch.setattr(ahead, "check", lambda *_: self._check())

    def _declare(self) -> Declared:
        if self.broken:
            raise OperationError("the program fails", fix="mend it")
        return self.wanted

    def _check(self) -> Report:
        self.anew += 1
        return compare(Observed(wanted=self.wanted, state=state(STACK), live=snapshot(self.live)))


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    return Cluster(monkeypatch)


@pytest.fixture
def checks(tmp_path: Path) -> Ahead:
    (tmp_path / f"Pulumi.{STACK}.yaml").write_text("config: {}\n")
    return Ahead(Project(folder=tmp_path, settings={"name": "mesh-app"}), STACK)


def test_an_edit_after_the_preparation_is_found(cluster: Cluster, checks: Ahead) -> None:
    checks.prepare()
    assert not checks.check().findings
    nth = next(n for n, each in enumerate(cluster.live) if each["kind"] == "VirtualService")
    cluster.live[nth] = edited(cluster.live[nth], "spec", "http", value=[])
    assert [each.ref.kind for each in checks.check().findings] == ["VirtualService"]
    assert cluster.anew == 0


def test_a_stack_file_that_changed_since_is_read_anew(
    cluster: Cluster, checks: Ahead, tmp_path: Path
) -> None:
    checks.prepare()
    assert not checks.check().findings
    (tmp_path / f"Pulumi.{STACK}.yaml").write_text("config: {a:b: c}\n")
    checks.check()
    assert cluster.anew == 1


def test_a_preparation_that_failed_is_none(cluster: Cluster, checks: Ahead) -> None:
    cluster.broken = True
    checks.prepare()
    checks.check()
    assert cluster.anew == 1


def test_without_preparation_everything_is_read_at_once(cluster: Cluster, checks: Ahead) -> None:
    checks.check()
    assert cluster.anew == 1
