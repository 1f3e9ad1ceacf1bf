"""Rules for the images and resources of containers."""

from collections.abc import Iterator, Sequence
from typing import Final

from mesh_rules.objects import Object, Value, at
from mesh_rules.pods import containers, is_patch, pod
from mesh_rules.rule import Rule, Violation


def _unpinned(objects: Sequence[Object]) -> Iterator[Violation]:
    for each in objects:
        for container in containers(each):
            image = at(container.fields, "image")
            if isinstance(image, str) and not container.injected and not _pinned(image):
                yield Violation(
                    by=each,
                    path=f"{container.path}.image",
                    value=image,
                    fix="use a release tag or a digest: with `latest`, the pods of a version may differ",
                )


def _pinned(image: str) -> bool:
    """Return whether an image has a digest or a tag; `registry:5000/cart` has a port, and neither."""
    name, _, digest = image.partition("@")
    _, _, tag = name.rpartition("/")[2].partition(":")
    return bool(digest) or tag not in ("", "latest")


def _without_requests(objects: Sequence[Object]) -> Iterator[Violation]:
    # Without a request, Kubernetes uses the limit.
    yield from _without(("cpu", "memory"), ("requests", "limits"), objects)


def _without_memory_limit(objects: Sequence[Object]) -> Iterator[Violation]:
    yield from _without(("memory",), ("limits",), objects)


def _without(
    resources: Sequence[str], where: Sequence[str], objects: Sequence[Object]
) -> Iterator[Violation]:
    for each in objects:
        shared = at(pod(each)[1], "spec", "resources")
        for container in () if is_patch(each) else containers(each):
            own = at(container.fields, "resources")
            missing = [name for name in resources if not _has(name, where, own, shared)]
            if missing and not container.init and not container.injected:
                yield Violation(
                    by=each,
                    path=f"{container.path}.resources.{where[0]}",
                    value=at(own, where[0]),
                    fix=f"set {' and '.join(missing)}, as measured under load",
                )


def _has(resource: str, where: Sequence[str], *resources: Value) -> bool:
    return any(at(each, key, resource) is not None for each in resources for key in where)


RULES: Final = (
    Rule(
        name="image-pinned",
        description="An image has a digest, or a tag that is not `latest`.",
        level="mandatory",
        violations=_unpinned,
        example="`image: registry.example.com/cart:latest`",
    ),
    Rule(
        name="requests-set",
        description="A container requests CPU and memory.",
        level="mandatory",
        violations=_without_requests,
        example="`resources: {requests: {cpu: 50m}}`",
    ),
    Rule(
        name="memory-limited",
        description="A container has a memory limit.",
        level="advisory",
        violations=_without_memory_limit,
        example="`resources: {requests: {cpu: 50m, memory: 64Mi}}`",
    ),
)
