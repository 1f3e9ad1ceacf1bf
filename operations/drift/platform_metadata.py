"""What a platform writes on namespaces all over a cluster, told by who wrote it. Pure.

Why so: docs/decisions/0009.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from operations.drift.field_ownership import Ownership
from operations.kube.fields import ABSENT, Item, Path
from operations.kube.manifests import Manifest

PARTS: Final = ("labels", "annotations", "finalizers")
TOOLS: Final = {"kubectl", "oc", "k9s", "mozilla", "helm", "kustomize", "pulumi", "terraform", "argocd"}
"""What people write with, by hand or from a repository, up to the first hyphen of the manager's name."""

Stamp = tuple[str, str, str]
"""Part, key and manager."""


@dataclass(frozen=True, kw_only=True)
class PlatformMetadata:
    """What programs of the cluster wrote on namespaces that are not the stack's."""

    seen: frozenset[Stamp]

    @classmethod
    def of(cls, namespaces: Sequence[Manifest], own: Sequence[str]) -> Self:
        """Collect them."""
        others = [each for each in namespaces if each["metadata"]["name"] not in own]
        return cls(seen=frozenset(stamp for each in others for stamp in _written(each)))

    def holds(self, path: Path, live: object, ownership: Ownership, manager: str | None) -> bool:
        """Tell whether a field that nobody declared was written by one who writes it on other namespaces too.

        Args:
            path: where it is on the stack's namespace.
            live: its value there.
            ownership: who wrote what of that namespace.
            manager: the name of the stack's own notes.
        """
        if path[:1] != ("metadata",) or live is ABSENT:
            return False
        part, *_ = map(str, path[1:])
        paths = [path] if len(path) > len(("metadata", part)) else list(_items(path, live))
        return part in PARTS and bool(paths) and all(self._is_one(each, ownership, manager) for each in paths)

    def _is_one(self, path: Path, ownership: Ownership, manager: str | None) -> bool:
        _, part, last = path
        writers = ownership.foreign_objects(path, manager)
        return bool(writers) and all((part, _key(last), each.manager) in self.seen for each in writers)


def _written(namespace: Manifest) -> Iterator[Stamp]:
    for owner in Ownership.of(namespace).owners:
        manager = owner.writer.manager
        for path, _ in owner.fields(namespace):
            is_stamp = path[:1] == ("metadata",) and len(path) == len(("metadata", "part", "key"))
            if is_stamp and path[1] in PARTS and not _is_people(manager) and not _is_mesh(_key(path[2])):
                yield str(path[1]), _key(path[2]), manager


def _items(path: Path, live: Any) -> Iterator[Path]:  # noqa: ANN401 (nested plain data)
    if isinstance(live, list):
        yield from ((*path, Item(label=nth, value=each)) for nth, each in enumerate(live))


def _key(step: str | Item) -> str:
    return step if isinstance(step, str) else str(step.value)


def _is_people(manager: str) -> bool:
    return manager.partition("-")[0].lower() in TOOLS


def _is_mesh(key: str) -> bool:
    """What Istio reads of a namespace is the stack's to say, whoever writes it elsewhere."""
    return "istio" in key.partition("/")[0]
