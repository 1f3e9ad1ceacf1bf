"""Undeclared fields that `mesh-app:drift.ignore` covers are not reported, and a repair retains them."""

from dataclasses import replace

import pytest

from components.model.drift import Drift
from operations.drift.check import Observed, compare
from operations.drift.ignored_fields import IgnoredFields
from operations.drift.restored import restored
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

OPENSHIFT = ("Namespace", "annotations", "openshift.io/sa.scc.uid-range")
RANCHER = ("Namespace", "annotations", "lifecycle.cattle.io/create.namespace-auth")
POD_SECURITY = ("Namespace", "labels", "pod-security.kubernetes.io/enforce")
AUTOPILOT = ("Deployment", "annotations", "autopilot.gke.io/warden-version")
OTHER = ("Namespace", "labels", "istio.io/rev")


def paths(live: Manifest, **drift: tuple[str, ...]) -> list[str]:
    """The paths of the findings with one changed object."""
    objects = [made(each) for each in declared("dev").manifests]
    keys = ("kind", "metadata")
    name = live["metadata"]["name"]
    objects = [
        live if (each[keys[0]], each[keys[1]]["name"]) == (live["kind"], name) else each for each in objects
    ]
    wanted = replace(declared("dev"), drift=Drift(**drift))
    observed = Observed(wanted=wanted, state=state("dev"), live=snapshot(objects))
    return [each.path for each in compare(observed).findings]


def written(kind: str, part: str, key: str) -> Manifest:
    """An object with a label or annotation of another program."""
    return edited(made(manifest(kind)), "metadata", part, key, value="x")


@pytest.mark.parametrize("field", [OPENSHIFT, RANCHER, POD_SECURITY, AUTOPILOT])
def test_fields_of_platforms_are_ignored_by_default(field: tuple[str, str, str]) -> None:
    """A list in the stack file replaces the default."""
    assert paths(written(*field)) == []
    (path,) = paths(written(*field), ignore=())
    assert field[2] in path
    kind, part, key = field
    ignored = IgnoredFields(Drift().ignore)
    body = restored(manifest(kind), written(*field), stored(manifest(kind)), ignored, PULUMI)
    assert body["metadata"][part][key] == "x"


def test_a_finalizer_is_ignored_by_its_name() -> None:
    """A list is ignored if each item is."""
    namespace = edited(
        made(manifest("Namespace")), "metadata", "finalizers", value=["controller.cattle.io/a"]
    )
    assert paths(namespace) == []
    namespace["metadata"]["finalizers"].append("example.com/a")
    assert paths(namespace) == ["metadata.finalizers"]


@pytest.mark.parametrize(
    ("pattern", "is_ignored"),
    [
        ('metadata.labels["istio.io/rev"]', True),
        ('Namespace:metadata.labels["istio.io/rev"]', True),
        ("metadata.labels", True),
        ('metadata.*["istio.io/*"]', True),
        ('Service:metadata.labels["istio.io/rev"]', False),
        ('metadata.labels["istio.io"]', False),
        ("metadata.label", False),
    ],
)
def test_a_pattern_is_a_path_with_wildcards(pattern: str, is_ignored: bool) -> None:
    """For one kind or all, with the fields below it."""
    assert (paths(written(*OTHER), ignore=(pattern,)) == []) is is_ignored


def test_a_declared_field_is_never_ignored() -> None:
    """The next update would change it."""
    service = edited(made(manifest("Service")), "spec", "ports", value=[])
    assert paths(service, ignore=("spec",))
