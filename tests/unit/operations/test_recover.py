"""`python -m operations recover`, piece by piece; the whole is tried on the lab."""

import gzip
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from components.model.stack_identity import LABEL
from operations.errors import OperationError
from operations.kube.cluster import Cluster
from operations.kube.manifests import Manifest
from operations.recovery import orphan_processes
from operations.recovery.backend import FileBackend
from operations.recovery.field_managers import former_names, nothing_of
from operations.recovery.orphan_resources import orphan_resources
from operations.recovery.pending import pending_operations

URN = "urn:pulumi:dev::mesh-app::mesh:index:VersionedApp$kubernetes:apps/v1:Deployment::shop-v3"
INPUTS = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "shop-v3", "namespace": "shop", "labels": {"app": "shop", "version": "v3"}},
}
LIVE = {
    **INPUTS,
    "metadata": {
        **INPUTS["metadata"],  # type: ignore[dict-item]
        "managedFields": [
            {"manager": "kube-controller-manager", "operation": "Update", "subresource": "status"},
            {"manager": "pulumi-kubernetes-1a2b3c4d", "operation": "Apply"},
        ],
    },
}
RESOURCE = {"urn": URN, "type": "kubernetes:apps/v1:Deployment", "custom": True, "inputs": INPUTS}
BEFORE = {"urn": "urn:pulumi:dev::mesh-app::pulumi:pulumi:Stack::mesh-app-dev"}


def state(*resources: Any) -> str:  # noqa: ANN401
    return json.dumps({"version": 3, "checkpoint": {"latest": {"resources": list(resources)}}})


@pytest.fixture
def backend(tmp_path: Path) -> FileBackend:
    """A folder as Pulumi keeps it."""
    found = FileBackend.of(f"file://{tmp_path}?no_tmp_dir=true", "mesh-app", "dev")
    assert found
    (found.root / "stacks/mesh-app").mkdir(parents=True)
    (found.root / "history/mesh-app/dev").mkdir(parents=True)
    (found.root / "locks/organization/mesh-app/dev").mkdir(parents=True)
    return found


def test_other_backends_are_not_read_as_files() -> None:
    """Buckets and Pulumi Cloud keep their state elsewhere."""
    for url in ("s3://states", "https://api.pulumi.com", None):
        assert FileBackend.of(url, "mesh-app", "dev") is None


def test_a_state_that_can_be_read_stays(backend: FileBackend) -> None:
    """Whatever lies beside it."""
    folder = backend.root / "stacks/mesh-app"
    (folder / "dev.json.bak").write_text(state(BEFORE, RESOURCE))
    (folder / "dev.json").write_text(state(BEFORE))
    assert backend.replacement() is None


@pytest.mark.parametrize("broken", ["", state(BEFORE)[:-20], "null", "\0" * 40, None])
def test_a_broken_state_is_replaced_by_the_latest_that_can_be_read(
    backend: FileBackend, broken: str | None
) -> None:
    """Empty, truncated, overwritten or missing; the unreadable file is stored beside it for its owner."""
    folder = backend.root / "stacks/mesh-app"
    old = backend.root / "history/mesh-app/dev/dev-1.checkpoint.json"
    old.write_text(state(BEFORE))
    os.utime(old, (1, 1))
    (folder / "dev.json.bak").write_text(state(BEFORE, RESOURCE))
    if broken is not None:
        (folder / "dev.json").write_text(broken)
    backup = backend.replacement()
    assert backup
    assert (backup.file.name, backup.resources) == ("dev.json.bak", 2)
    kept = backend.restore(backup)
    assert backend.replacement() is None
    assert (folder / "dev.json").read_text() == state(BEFORE, RESOURCE)
    assert (folder / "dev.json").stat().st_mode & 0o077 == 0
    assert (kept.read_text() if kept else None) == broken


def test_the_state_before_may_be_unreadable_too(backend: FileBackend) -> None:
    """Then the latest finished update's counts, packed or not."""
    folder = backend.root / "stacks/mesh-app"
    (folder / "dev.json.gz").write_bytes(gzip.compress(state(BEFORE).encode())[:-9])
    (folder / "dev.json.gz.bak").write_bytes(b"")
    (backend.root / "history/mesh-app/dev/dev-1.checkpoint.json.gz").write_bytes(
        gzip.compress(state(BEFORE).encode())
    )
    backup = backend.replacement()
    assert backup
    assert backup.file.name == "dev-1.checkpoint.json.gz"


def test_without_any_readable_state_it_says_what_to_do(backend: FileBackend) -> None:
    """Nothing is guessed."""
    (backend.root / "stacks/mesh-app/dev.json").write_text("{")
    with pytest.raises(OperationError, match="there is no backup"):
        backend.replacement()


def test_who_locked_the_stack_is_read_from_the_notes(backend: FileBackend) -> None:
    """One of a process that has ended, one of another machine."""
    notes = backend.root / "locks/organization/mesh-app/dev"
    done = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True
    )
    for name, host, pid in (("a", socket.gethostname(), int(done.stdout)), ("b", "build-7", 1)):
        said = {
            "pid": pid,
            "username": "ann",
            "hostname": host,
            "timestamp": "2036-01-01T10:00:00.1234567+01:00",
        }
        (notes / f"{name}.json").write_text(json.dumps(said))
    assert [each.ended for each in backend.holders()] == [True, False]


def test_a_note_that_cannot_be_read_is_nobodys_guess(backend: FileBackend) -> None:
    """A disk that was full leaves an empty one."""
    (backend.root / "locks/organization/mesh-app/dev/a.json").write_text("")
    with pytest.raises(OperationError, match=r"the lock of stack \w+ cannot be read"):
        backend.holders()


@pytest.mark.parametrize(
    ("live", "description"),
    [
        (LIVE, "the object exists"),
        (None, "the object does not exist"),
        (
            {**INPUTS, "metadata": {"name": "shop-v3", "labels": {"app": "other"}}},
            "the object does not exist",
        ),
    ],
)
def test_what_was_being_made_is_searched_for(live: Manifest | None, description: str) -> None:
    """By its name and labels: another owner may have made one of that name."""
    before = {"resources": [BEFORE], "pending_operations": [{"resource": RESOURCE, "type": "creating"}]}
    (pending,) = pending_operations(before, lambda _: live)
    assert description in str(pending)


@pytest.mark.parametrize("kind", ["updating", "deleting", "reading"])
def test_what_was_being_changed_is_done_again(kind: str) -> None:
    """The resource itself is in the state already."""
    before = {"resources": [RESOURCE], "pending_operations": [{"resource": RESOURCE, "type": kind}]}
    (pending,) = pending_operations(before, lambda _: LIVE)
    assert "is repeated" in str(pending)


def test_helpers_of_a_pulumi_that_is_gone_are_ended(tmp_path: Path) -> None:
    """Those of the project's folder alone."""
    provider = tmp_path / "pulumi-resource-kubernetes"
    provider.symlink_to("/bin/sleep")
    mine, other = tmp_path / "mine", tmp_path / "other"
    mine.mkdir()
    other.mkdir()
    with (
        subprocess.Popen([provider, "60"], cwd=mine) as one,
        subprocess.Popen([provider, "60"], cwd=other) as two,
    ):
        wait_for_name(one.pid)
        found = orphan_processes.orphans(mine)
        assert [each.pid for each in found] == [one.pid]
        orphan_processes.end(found)
        assert one.wait(5) is not None
        assert two.poll() is None
        two.kill()


def test_helpers_of_a_pulumi_that_runs_stay(tmp_path: Path) -> None:
    """Another update is running."""
    (tmp_path / "pulumi-resource-kubernetes").symlink_to("/bin/sleep")
    engine = tmp_path / "pulumi"
    engine.symlink_to("/bin/bash")
    with subprocess.Popen([engine, "-c", "./pulumi-resource-kubernetes 60; true"], cwd=tmp_path) as pulumi:
        ends = time.monotonic() + 5
        while not (children := psutil.Process(pulumi.pid).children()) and time.monotonic() < ends:
            time.sleep(0.05)
        wait_for_name(children[0].pid)
        assert orphan_processes.orphans(tmp_path) == []
        children[0].kill()


def wait_for_name(pid: int) -> None:
    """A process has its own name once it has begun its program."""
    ends = time.monotonic() + 5
    while not psutil.Process(pid).name().startswith("pulumi-resource") and time.monotonic() < ends:
        time.sleep(0.05)


OWN, OTHER = "mesh-app.dev-111111", "mesh-app.prod-222222"


def made(
    name: str, *, stack: str = OWN, manager: str = "pulumi-kubernetes-1", **metadata: object
) -> Manifest:
    labels = {"app.kubernetes.io/name": "shop", "app.kubernetes.io/managed-by": "pulumi", LABEL: stack}
    own = {"name": name, "namespace": "shop", "labels": labels, "managedFields": [{"manager": manager}]}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {**own, **metadata}}


def test_what_the_stack_made_and_nobody_knows_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not what is declared, in the state, of another stack, a manual copy, or owned."""
    live = [
        made("shop-v1"),
        made("shop-v2"),
        made("shop-v3"),
        made("other", stack=OTHER),
        made("manual", manager="kubectl"),
        made("owned", ownerReferences=[{"kind": "Gateway"}]),
    ]
    asked: list[tuple[str, ...]] = []

    def whole(_: Cluster, *words: str) -> list[Manifest]:
        asked.append(words)
        return live

    monkeypatch.setattr(Cluster, "whole", whole)
    begun = {**made("shop-v4"), "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler"}
    found = orphan_resources([made("shop-v1")], [made("shop-v2")], [begun], Cluster("lab"))
    assert {each["metadata"]["name"] for each in found} == {"shop-v3"}
    # Also of a kind that only the interrupted update knew.
    assert ("autoscaling/v2", "HorizontalPodAutoscaler", "shop", f"{LABEL}={OWN}") in asked


def test_another_stacks_gateway_at_the_same_ingress_is_not_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the same app, in the namespace of the ingress, by the Gateway API: the identity distinguishes it."""
    own = {**made("shop-dev", namespace="istio-system"), "kind": "Gateway"}
    other = {**made("shop-prod", namespace="istio-system", stack=OTHER), "kind": "Gateway"}
    monkeypatch.setattr(Cluster, "whole", lambda *_: [own, other])
    assert orphan_resources([own], [], [], Cluster("lab")) == []


def test_a_provider_that_died_is_known_by_the_name_in_which_it_applied() -> None:
    """Neither the stack's own name, nor a webhook's with that name, nor a manual one with such a name."""
    own, other = "pulumi-kubernetes-1a2b3c4d", "pulumi-kubernetes-016eadc4"
    notes = [
        {"manager": other, "operation": "Apply"},
        {"manager": own, "operation": "Apply"},
        {"manager": own, "operation": "Update"},
        {"manager": "pulumi-kubernetes-manual", "operation": "Update"},
        {"manager": "argocd-controller", "operation": "Apply"},
    ]
    live = {**INPUTS, "metadata": {**INPUTS["metadata"], "managedFields": notes}}  # type: ignore[dict-item]
    assert former_names(live, own) == [other]
    bare = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "shop-v3", "namespace": "shop"},
    }
    assert nothing_of(INPUTS) == bare
