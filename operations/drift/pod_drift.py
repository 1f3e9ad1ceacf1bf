"""Compare live pods with their ReplicaSet, by who wrote which field. Pure.

Compared are labels, which selectors use; finalizers and owners; and the whole spec with injected containers.
Annotations are not: network plugins write them.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from operations.drift.field_ownership import Ownership
from operations.drift.findings import Finding, Problem
from operations.drift.ignored_fields import IgnoredFields
from operations.drift.object_drift import ref
from operations.drift.snapshot import Snapshot
from operations.kube.cluster import in_kind
from operations.kube.fields import ABSENT, Item, Path, spelled_path
from operations.kube.manifests import Manifest
from operations.kube.redaction import without_secret_values

COMPARED: Final = (
    ("spec",),
    ("metadata", "labels"),
    ("metadata", "finalizers"),
    ("metadata", "ownerReferences"),
)
NODE_SUBRESOURCES: Final = {"status", "binding"}
"""Subresources through which the scheduler and the kubelet write; users write through others."""


def pod_findings(declared: Sequence[Manifest], live: Snapshot, ignored: IgnoredFields) -> Iterator[Finding]:
    """Return the manual changes on the pods of the declared Deployments."""
    deployments = [live.find(each) for each in in_kind(declared, "Deployment")]
    uids = {each["metadata"]["uid"] for each in deployments if each}
    sets = {each["metadata"]["uid"]: each for each in live.of_kind("apps/v1", "ReplicaSet")}
    for each in live.of_kind("v1", "Pod"):
        creator = sets.get(_controller(each))
        if creator and _controller(creator) in uids and not each["metadata"].get("deletionTimestamp"):
            yield from _pod(each, creator["spec"]["template"], ignored)


def _pod(pod: Manifest, template: Manifest, ignored: IgnoredFields) -> Iterator[Finding]:
    labels = pod["metadata"].get("labels") or {}
    written: dict[Path, object] = {
        ("metadata", "labels", key): labels.get(key, ABSENT) for key in template["metadata"]["labels"]
    }
    written.update(_manual_fields(pod))
    ownership = Ownership.of(pod)
    for path, value in written.items():
        wanted = _at(template, path)
        if value == wanted or (wanted is ABSENT and ignored.match("Pod", path, value)):
            continue
        problem = Problem.CHANGED
        if ABSENT in (wanted, value):
            problem = Problem.ADDED if wanted is ABSENT else Problem.REMOVED
        yield Finding(
            ref=ref(pod),
            problem=problem,
            path=spelled_path(path),
            declared=without_secret_values(wanted, path),
            live=without_secret_values(value, path),
            writer=ownership.writer(path, None),
        )


def _manual_fields(pod: Manifest) -> Iterator[tuple[Path, object]]:
    """Return the fields that another manager than the pod's creator, its node and the scheduler wrote.

    Injection and admission plugins write under the name of the creator.
    """
    ownership = Ownership.of(pod)
    creator = ownership.maker()
    for owner in ownership.owners:
        writer = owner.writer
        if creator and writer.manager != creator.manager and writer.subresource not in NODE_SUBRESOURCES:
            yield from (
                each for each in owner.fields(pod) if any(each[0][: len(of)] == of for of in COMPARED)
            )


def _at(template: Any, path: Path) -> object:  # noqa: ANN401 (nested plain data)
    for step in path:
        if isinstance(step, Item):
            items = template if isinstance(template, list) else ()
            named = (each for each in items if isinstance(each, Mapping) and each.get("name") == step.label)
            template = next(named, ABSENT)
        else:
            template = template.get(step, ABSENT) if isinstance(template, Mapping) else ABSENT
    return template


def _controller(owned: Manifest) -> str:
    owners = owned["metadata"].get("ownerReferences") or ()
    return next((each["uid"] for each in owners if each.get("controller")), "")
