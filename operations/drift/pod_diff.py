"""Live pods held against the ReplicaSet that made them, and against who wrote what of them. Pure.

Pods come and go, and most of a pod cannot be changed. What can is looked at: labels, which say who selects
it; finalizers and owners, which say how it goes; everything of its spec, injected containers among it.
Annotations are not: network plugins write theirs.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from operations.drift.field_ownership import Owner, Ownership
from operations.drift.findings import Finding, Problem
from operations.drift.objects import ref
from operations.drift.snapshot import Snapshot
from operations.kube.cluster import in_kind
from operations.kube.fields import ABSENT, Item, Path, spelled_path
from operations.kube.manifests import Manifest
from operations.kube.redaction import without_secret_values

Field = tuple[Path, object, object]
"""Where, what the ReplicaSet says, and what is there."""

MAKERS: Final = (("spec",), ("metadata", "finalizers"), ("metadata", "ownerReferences"))
"""What only the maker of a pod writes. Labels are looked at one by one."""
NODES: Final = {"status", "binding"}
"""Subresources through which scheduler and kubelet write; others are asked for by people."""


def pod_findings(declared: Sequence[Manifest], live: Snapshot) -> Iterator[Finding]:
    """List what hands changed on the pods of the declared Deployments."""
    deployments = [live.find(each) for each in in_kind(declared, "Deployment")]
    sets = live.of_kind("ReplicaSet")
    own = {each["metadata"]["uid"] for each in deployments if each}
    for each in live.of_kind("Pod"):
        if each["metadata"].get("deletionTimestamp"):
            continue
        maker = next((one for one in sets if _controls(one, each)), None)
        if maker and _controller(maker) in own:
            yield from _pod(each, maker["spec"]["template"])


def _pod(pod: Manifest, template: Manifest) -> Iterator[Finding]:
    found: list[Field] = []
    declared, labels = template["metadata"]["labels"], pod["metadata"].get("labels") or {}
    for key, value in declared.items():
        if labels.get(key) != value:
            found.append((("metadata", "labels", key), value, labels.get(key, ABSENT)))
    found += [(("metadata", "labels", key), ABSENT, labels[key]) for key in manual_labels(pod, declared)]
    for wanted in template["spec"]["containers"]:
        container = next(each for each in pod["spec"]["containers"] if each["name"] == wanted["name"])
        found += _container(wanted, container)
    known = {spelled_path(path) for path, *_ in found}
    found += [
        (path, ABSENT, value)
        for path, value in _manual_changes(pod, template)
        if spelled_path(path) not in known
    ]
    ownership = Ownership.of(pod)
    for path, wanted_value, value in found:
        problem = Problem.CHANGED
        if ABSENT in (wanted_value, value):
            problem = Problem.ADDED if wanted_value is ABSENT else Problem.REMOVED
        yield Finding(
            ref=ref(pod),
            problem=problem,
            path=spelled_path(path),
            declared=without_secret_values(wanted_value, path),
            live=without_secret_values(value, path),
            writer=ownership.writer(path, None),
        )


def manual_labels(pod: Manifest, declared: Mapping[str, str]) -> list[str]:
    """List the labels of a pod that neither its ReplicaSet nor the making of the pod gave it.

    What injection, the scheduler and admission plugins write comes with the pod or its binding to a node.
    """
    written = {
        path[2] for owner in _manual_writers(pod) for path, _ in owner.fields(pod) if path[1:2] == ("labels",)
    }
    return sorted(str(key) for key in written - declared.keys())


def _manual_changes(pod: Manifest, template: Manifest) -> Iterator[tuple[Path, object]]:
    """List what somebody wrote later, and is not as the ReplicaSet has it."""
    for owner in _manual_writers(pod):
        for path, value in owner.fields(pod):
            if any(path[: len(part)] == part for part in MAKERS) and value != _at(template, path):
                yield path, value


def _manual_writers(pod: Manifest) -> list[Owner]:
    """List who wrote of a pod besides its maker, its node and the scheduler."""
    ownership = Ownership.of(pod)
    maker = ownership.maker()
    writers = [each for each in ownership.owners if each.writer.subresource not in NODES]
    return [each for each in writers if maker and each.writer.manager != maker.manager]


def _at(template: Any, path: Path) -> object:  # noqa: ANN401 (nested plain data)
    for step in path:
        if isinstance(step, Item):
            items = template if isinstance(template, list) else ()
            named = (each for each in items if isinstance(each, Mapping) and each.get("name") == step.label)
            template = next(named, ABSENT)
        else:
            template = template.get(step, ABSENT) if isinstance(template, Mapping) else ABSENT
    return template


def _container(wanted: Manifest, live: Manifest) -> list[Field]:
    base: Path = ("spec", "containers", Item(label=wanted["name"], value=live))
    found: list[Field] = []
    if live["image"] != wanted["image"]:
        found.append(((*base, "image"), wanted["image"], live["image"]))
    for part in ("requests", "limits"):
        amounts: dict[str, Any] = (wanted.get("resources") or {}).get(part) or {}
        there = (live.get("resources") or {}).get(part) or {}
        for name, amount in amounts.items():
            # Both as the API server writes them: the ReplicaSet is an object of its own.
            if there.get(name) != amount:
                found.append(((*base, "resources", part, name), amount, there.get(name, ABSENT)))
    return found


def _controls(owner: Manifest, owned: Manifest) -> bool:
    return bool(_controller(owned) == owner["metadata"]["uid"])


def _controller(owned: Manifest) -> str | None:
    owners = owned["metadata"].get("ownerReferences") or ()
    return next((each["uid"] for each in owners if each.get("controller")), None)
