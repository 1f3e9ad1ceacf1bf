"""What a platform writes on all namespaces is left alone, and what somebody writes on the stack's is not."""

from typing import Any

import pytest

from operations.drift.check import Observed, compare
from operations.drift.platform_metadata import PlatformMetadata
from operations.drift.repair import restored
from operations.kube.manifests import Manifest
from tests.unit.operations.drift.live import (
    PULUMI,
    declared,
    edited,
    made,
    manifest,
    snapshot,
    state,
    stored,
)

OPENSHIFT = ("annotations", "openshift.io/sa.scc.uid-range", "cluster-policy-controller")
RANCHER = ("annotations", "lifecycle.cattle.io/create.namespace-auth", "rancher")


def written(namespace: Manifest, part: str, key: str, manager: str) -> Manifest:
    """The namespace with a label or annotation of somebody's."""
    live = edited(namespace, "metadata", part, key, value="x")
    live["metadata"]["managedFields"][-1]["manager"] = manager
    return live


def elsewhere() -> Manifest:
    """A namespace that no stack has."""
    empty: dict[str, Any] = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}}
    return made(empty)


def paths(own: Manifest, other: Manifest) -> list[str]:
    """What is found where two namespaces are so."""
    live = [made(each) for each in declared("dev").manifests if each["kind"] != "Namespace"]
    observed = Observed(wanted=declared("dev"), state=state("dev"), live=snapshot([*live, own, other]))
    return [each.path for each in compare(observed).findings]


@pytest.mark.parametrize("stamp", [OPENSHIFT, RANCHER])
def test_what_one_writer_writes_on_other_namespaces_too_is_the_platforms(stamp: tuple[str, str, str]) -> None:
    """No drift, and it stays where the rest is put back."""
    own = written(made(manifest("Namespace")), *stamp)
    assert paths(own, written(elsewhere(), *stamp)) == []
    stamps = PlatformMetadata.of([written(elsewhere(), *stamp)], own=[])
    body = restored(manifest("Namespace"), own, stored(manifest("Namespace")), stamps, PULUMI)
    assert body["metadata"]["annotations"] == {stamp[1]: "x"}


@pytest.mark.parametrize(
    ("here", "there"),
    [
        (OPENSHIFT, None),
        (OPENSHIFT, (*OPENSHIFT[:2], "another")),
        ((*OPENSHIFT[:2], "kubectl-annotate"), (*OPENSHIFT[:2], "kubectl-annotate")),
        (("labels", "istio.io/rev", "stamper"), ("labels", "istio.io/rev", "stamper")),
        (("annotations", "a.example.com/b", "argocd-controller"),) * 2,
    ],
    ids=["on this one alone", "by two", "by people", "read by the mesh", "by a second owner"],
)
def test_everything_else_is_drift(here: tuple[str, str, str], there: tuple[str, str, str] | None) -> None:
    """With the field that it is."""
    own = written(made(manifest("Namespace")), *here)
    (path,) = paths(own, written(elsewhere(), *there) if there else elsewhere())
    assert here[1] in path
