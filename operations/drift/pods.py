"""Live pods held against the ReplicaSet that made them. Pure.

Pods come and go, and most of a pod cannot be changed. What can is looked at: labels, which say who selects
it; the images and resources of its containers; and containers that somebody put in for debugging. Annotations
are not: network plugins write theirs.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from operations.cluster import in_kind
from operations.drift.findings import Finding, Problem
from operations.drift.objects import ref
from operations.drift.ownership import Ownership
from operations.drift.snapshot import Snapshot
from operations.fields import ABSENT, Item, Path, spelled_path
from operations.manifests import Manifest

Field = tuple[Path, object, object]
"""Where, what the ReplicaSet says, and what is there."""


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
    found += [(("metadata", "labels", key), ABSENT, labels[key]) for key in labels_by_hand(pod, declared)]
    for wanted in template["spec"]["containers"]:
        container = next(each for each in pod["spec"]["containers"] if each["name"] == wanted["name"])
        found += _container(wanted, container)
    for each in pod["spec"].get("ephemeralContainers") or ():
        step = Item(label=each["name"], value=each)
        found.append((("spec", "ephemeralContainers", step), ABSENT, {"image": each["image"]}))
    ownership = Ownership.of(pod)
    for path, wanted_value, value in found:
        problem = (
            Problem.ADDED
            if wanted_value is ABSENT
            else Problem.REMOVED
            if value is ABSENT
            else Problem.CHANGED
        )
        yield Finding(
            ref=ref(pod),
            problem=problem,
            path=spelled_path(path),
            declared=wanted_value,
            live=value,
            writer=ownership.writer(path, None),
        )


def labels_by_hand(pod: Manifest, declared: Mapping[str, str]) -> list[str]:
    """List the labels of a pod that neither its ReplicaSet nor the making of the pod gave it.

    What injection, the scheduler and admission plugins write comes with the pod or its binding to a node.
    """
    ownership = Ownership.of(pod)
    maker = ownership.maker()
    found = []
    for key in sorted((pod["metadata"].get("labels") or {}).keys() - declared.keys()):
        writer = ownership.writer(("metadata", "labels", key), None)
        if writer and maker and writer.manager != maker.manager and not writer.subresource:
            found.append(key)
    return found


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
