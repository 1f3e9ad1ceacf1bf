"""Live objects as an API server stores them, built from declared ones."""

from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from typing import Any

from operations.drift.check import Declared
from operations.drift.findings import Finding
from operations.drift.ignored_fields import IgnoredFields
from operations.drift.object_drift import object_findings
from operations.drift.snapshot import Snapshot
from operations.drift.state import State, StoredState
from operations.kube.cluster import Cluster
from operations.kube.manifests import Manifest, in_order, is_applied
from operations.pulumi_stack.program import declare
from operations.pulumi_stack.project import Project
from tests.unit.operations.projects import CHECKOUT

IGNORED = IgnoredFields()
"""Only what every cluster writes."""
PULUMI = "pulumi-kubernetes-0123abcd"
MADE, EDITED = "2026-11-01T08:00:00Z", "2026-11-02T09:30:00Z"


@cache
def declared(stack: str) -> Declared:
    """What one of the project's own stacks declares."""
    resources = [each for each in in_order(declare(Project.at(CHECKOUT), stack)) if is_applied(each)]
    return Declared(stack=stack, cluster=Cluster("lab"), resources=resources)


def manifest(kind: str, name: str | None = None, stack: str = "dev") -> Manifest:
    """One declared object, the first of its kind unless named."""
    return next(
        deepcopy(each)
        for each in declared(stack).manifests
        if each["kind"] == kind and name in (None, each["metadata"]["name"])
    )


def owned(value: Any) -> dict[str, Any]:  # noqa: ANN401 - nested plain data
    """The `fieldsV1` of a value; lists have one owner, as in custom resources."""
    if not isinstance(value, dict):
        return {}
    return {f"f:{key}": owned(each) for key, each in value.items()}


def entry(manager: str, operation: str, time: str, fields: dict[str, Any]) -> dict[str, Any]:
    """One entry of `managedFields`."""
    return {"manager": manager, "operation": operation, "time": time, "fieldsV1": fields}


def made(wanted: Manifest) -> Manifest:
    """The live object right after Pulumi applied it."""
    live = deepcopy(wanted)
    body = {key: value for key, value in wanted.items() if key not in ("apiVersion", "kind")}
    body["metadata"] = {key: wanted["metadata"].get(key, {}) for key in ("labels", "annotations")}
    live["metadata"] |= {
        "uid": f"uid of {wanted['kind']} {wanted['metadata']['name']}",
        "creationTimestamp": MADE,
        "resourceVersion": "1",
        "managedFields": [entry(PULUMI, "Apply", MADE, owned(body))],
    }
    return live


def edited(live: Manifest, *path: str, value: object) -> Manifest:
    """The object after a user set a field with kubectl, which then owns the field."""
    live = deepcopy(live)
    at, theirs = live, {}
    for key in path[:-1]:
        at = at.setdefault(key, {})
    at[path[-1]] = value
    fields = owned(value)
    for key in reversed(path):
        fields = {f"f:{key}": fields}
    theirs = entry("kubectl-edit", "Update", EDITED, fields)
    for each in live["metadata"]["managedFields"]:
        _lose(each["fieldsV1"], path)
    live["metadata"]["managedFields"].append(theirs)
    return live


def _lose(fields: dict[str, Any], path: tuple[str, ...]) -> None:
    *above, last = (f"f:{key}" for key in path)
    for key in above:
        fields = fields.get(key, {})
    fields.pop(last, None)


def stored(wanted: Manifest) -> StoredState:
    """The state of an object that Pulumi created."""
    return StoredState(inputs=wanted, manager=PULUMI, uid=made(wanted)["metadata"]["uid"])


def found(wanted: Manifest, live: Manifest | None) -> list[Finding]:
    """The findings of a check on one object."""
    return list(object_findings(wanted, live, stored(wanted), IGNORED, pending=None))


def state(stack: str) -> State:
    """The state after an update of everything that a stack declares."""
    return State(objects={each.urn: stored(dict(each.inputs)) for each in declared(stack).resources})


def snapshot(objects: Iterator[Manifest] | list[Manifest]) -> Snapshot:
    """A cluster with some objects."""
    lists: dict[tuple[str, str, str], list[Manifest]] = {}
    for each in objects:
        lists.setdefault((each["apiVersion"], each["kind"], ""), []).append(each)
    return Snapshot(lists=lists, others=[])
