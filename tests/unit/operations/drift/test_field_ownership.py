"""Drift that a comparison of values alone does not find, and entries of `managedFields` that mislead."""

from copy import deepcopy
from typing import Any

import pytest

from operations.drift.findings import Problem
from operations.kube.manifests import Manifest
from tests.unit.operations.drift.live import (
    EDITED,
    MADE,
    PULUMI,
    edited,
    entry,
    found,
    made,
    manifest,
    owned,
)


def rewritten(live: Manifest, manager: str, operation: str, time: str = EDITED) -> Manifest:
    """The object with its last entry under another manager."""
    live = deepcopy(live)
    live["metadata"]["managedFields"][-1] |= {"manager": manager, "operation": operation, "time": time}
    return live


def shared(live: Manifest, manager: str, subresource: str = "", **spec: Any) -> Manifest:  # noqa: ANN401
    """The object with a second owner of a part of its spec, of the same value."""
    live = deepcopy(live)
    added = entry(manager, "Update" if subresource else "Apply", EDITED, {"f:spec": owned(spec)})
    live["metadata"]["managedFields"].append({**added, "subresource": subresource})
    return live


def test_a_later_write_under_the_stacks_manager_is_drift() -> None:
    """A webhook writes under it while Pulumi applies, other clients later."""
    wanted = manifest("Deployment")
    live = edited(made(wanted), "metadata", "labels", "team", value="x")
    assert found(wanted, rewritten(live, PULUMI, "Update", MADE)) == []
    (finding,) = found(wanted, rewritten(live, PULUMI, "Update", EDITED))
    assert (finding.problem, finding.path) == (Problem.ADDED, "metadata.labels.team")


@pytest.mark.parametrize(
    ("kind", "path"), [("VirtualService", ("spec", "exportTo")), ("Deployment", ("metadata", "labels", "a"))]
)
def test_a_field_without_an_entry_is_no_default_where_there_are_none(
    kind: str, path: tuple[str, ...]
) -> None:
    """The API server sets no default labels, and no defaults in Istio's kinds."""
    wanted = manifest(kind)
    live = edited(made(wanted), *path, value="x")
    live["metadata"]["managedFields"].pop()
    (finding,) = found(wanted, live)
    assert (finding.problem, finding.path, finding.writer) == (Problem.ADDED, ".".join(path), None)


def test_a_field_that_another_manager_shares_is_reported() -> None:
    """The next change of it is a conflict, unless it is kubectl's: that Pulumi takes over."""
    wanted = manifest("Deployment")
    (finding,) = found(wanted, shared(made(wanted), "other-team", replicas=1))
    assert (finding.problem, finding.path) == (Problem.TAKEN, "spec.replicas")
    assert finding.writer
    assert finding.writer.manager == "other-team"
    assert found(wanted, shared(made(wanted), "kubectl", replicas=1)) == []
    (finding,) = found(wanted, shared(made(wanted), "kubectl", subresource="scale", replicas=1))
    assert finding.problem is Problem.TAKEN


def test_an_autoscaler_never_leaves_a_deployment_without_pods() -> None:
    """A user does, and no autoscaler scales from 0."""
    wanted = manifest("Deployment", stack="prod")
    noted = edited(made(wanted), "spec", "replicas", value=0)
    # `kubectl scale --replicas=0` leaves no note: its 0 is left out of the fields that it writes.
    unnoted = {**made(wanted), "spec": {**wanted["spec"], "replicas": 0}}
    for live in (noted, unnoted):
        (finding,) = found(wanted, live)
        assert (finding.path, finding.live) == ("spec.replicas", 0)
