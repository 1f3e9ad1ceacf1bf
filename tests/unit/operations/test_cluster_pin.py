"""Operations talk to the cluster that the stack means, and to no other."""

from pathlib import Path

import pytest

from operations.errors import OperationError
from operations.kube.cluster import Cluster
from operations.kube.manifests import manifests
from operations.pulumi_stack.cluster_pin import meant_cluster
from operations.pulumi_stack.program import declare
from tests.unit.operations.projects import project
from tests.unit.stacks import WALKTHROUGH, with_changes

UID = "6ff6c1b2-1f0e-4d0c-9f0a-2f5d1c0b7a3e"
OTHER = "00000000-1f0e-4d0c-9f0a-2f5d1c0b7a3e"


@pytest.mark.parametrize("found", [UID, OTHER])
def test_a_pinned_stack_goes_to_its_own_cluster_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: str
) -> None:
    """By the uid of kube-system; the message holds both uids, the context and the command."""
    monkeypatch.setattr(Cluster, "read", lambda *_: {"metadata": {"uid": found}})
    resources = declare(project(tmp_path, "mine", with_changes(clusterUid=UID)), "mine")
    if found == UID:
        assert meant_cluster(resources).context == "lab"
        return
    with pytest.raises(OperationError) as told:
        meant_cluster(resources)
    said = str(told.value)
    assert all(word in said for word in (UID, OTHER, "context lab", "pulumi config set"))


def test_any_cluster_will_do_for_a_stack_without_a_pin(tmp_path: Path) -> None:
    """Nothing is asked of it."""
    assert meant_cluster(declare(project(tmp_path, "mine", WALKTHROUGH), "mine")).context == "lab"


def test_a_pin_changes_nothing_of_what_is_applied(tmp_path: Path) -> None:
    """`render` shows a pinned stack without any cluster."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    plain = declare(project(tmp_path / "a", "mine", WALKTHROUGH), "mine")
    pinned = declare(project(tmp_path / "b", "mine", with_changes(clusterUid=UID)), "mine")
    assert manifests(pinned) == manifests(plain)
