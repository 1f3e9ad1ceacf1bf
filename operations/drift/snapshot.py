"""Read the live objects that a check needs, concurrently."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, Self

from operations.drift.foreign_kinds import FOREIGN_KINDS
from operations.drift.stack_scope import namespaces_of
from operations.errors import OperationError
from operations.kube.cluster import Cluster, same_object
from operations.kube.manifests import Manifest

THREADS: Final = 8
Place = tuple[str, str, str]
"""API version, kind and namespace of a list; an empty namespace means all of them."""
CREATORS: Final = (("apps/v1", "Deployment"), ("apps/v1", "ReplicaSet"))
"""Also listed in the namespaces of the stack: a pod is compared with the ReplicaSet that created it."""


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The live objects at one time."""

    lists: Mapping[Place, Sequence[Manifest]]
    others: Sequence[Manifest]
    """Declared objects of kinds that are not listed."""

    @classmethod
    def take(cls, cluster: Cluster, declared: Sequence[Manifest]) -> Self:
        """Read the lists of all kinds that may affect the stack, and the other declared objects.

        Raises:
            OperationError: the cluster does not answer, a list is forbidden, or a declared kind is missing.
        """
        _check_kinds(cluster, declared)
        namespaces = sorted(namespaces_of(declared))
        places = [(each.api_version, each.kind, "") for each in FOREIGN_KINDS if each.all_namespaces]
        local = [(each.api_version, each.kind) for each in FOREIGN_KINDS if not each.all_namespaces]
        places += [(*kind, namespace) for kind in (*local, *CREATORS) for namespace in namespaces]
        single = [each for each in declared if not any(_is_at(each, place) for place in places)]
        with ThreadPoolExecutor(THREADS) as threads:
            lists = threads.map(lambda place: cluster.whole(place[0], place[1], place[2] or None), places)
            others = threads.map(cluster.read, single)
            return cls(lists=dict(zip(places, lists, strict=True)), others=[each for each in others if each])

    def find(self, manifest: Manifest) -> Manifest | None:
        """Return the live object of the same kind, namespace and name."""
        listed = (
            each for place, objects in self.lists.items() if _is_at(manifest, place) for each in objects
        )
        return next((each for each in (*listed, *self.others) if same_object(each, manifest)), None)

    def of_kind(self, api_version: str, kind: str) -> list[Manifest]:
        """Return the live objects of a listed kind."""
        lists = (objects for place, objects in self.lists.items() if place[:2] == (api_version, kind))
        return [each for objects in lists for each in objects]


def _check_kinds(cluster: Cluster, declared: Sequence[Manifest]) -> None:
    """Raise an error if a declared kind is missing: its objects would appear to be deleted."""
    kinds = sorted({(each["apiVersion"], each["kind"]) for each in declared})
    unknown = [f"{kind} of {group}" for group, kind in kinds if not cluster.serves(group, kind)]
    if unknown:
        raise OperationError(
            f"the cluster of context {cluster.context} does not have these kinds, which the stack declares: "
            f"{', '.join(unknown)}",
            fix="install the missing CustomResourceDefinitions of Istio or the Gateway API; or set the right "
            "cluster's context: pulumi config set kubernetes:context NAME",
        )


def _is_at(manifest: Manifest, place: Place) -> bool:
    api_version, kind, namespace = place
    is_kind = (manifest["apiVersion"], manifest["kind"]) == (api_version, kind)
    return is_kind and namespace in ("", manifest["metadata"].get("namespace"))
