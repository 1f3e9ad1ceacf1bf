"""The live objects that a check needs, read at once."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Self

from operations.drift.foreign.objects import WATCHED, RoutedKind
from operations.drift.foreign.reach import namespaces_of
from operations.errors import OperationError
from operations.kube.cluster import Cluster, same_object
from operations.kube.manifests import Manifest

THREADS = 8
Place = tuple[str, str, str]
"""API version, kind and namespace of a list; no namespace means all of them."""
NAMESPACES: Place = ("v1", "Namespace", "")
"""The stack's own, and the others for what the platform writes on all."""


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What was there."""

    lists: Mapping[Place, Sequence[Manifest]]
    others: Sequence[Manifest]
    """Declared objects that stand in no list."""

    @classmethod
    def take(cls, cluster: Cluster, declared: Sequence[Manifest]) -> Self:
        """Read the lists of all watched kinds, and what is declared besides.

        Raises:
            OperationError: the cluster does not answer, does not let a kind be read, or does not know one
                that the stack declares.
        """
        _all_known(cluster, declared)
        watched = {place for each in WATCHED for place in _places(each, declared)}
        places = sorted(watched | {NAMESPACES})
        single = [each for each in declared if not any(_is_at(each, place) for place in places)]
        with ThreadPoolExecutor(THREADS) as at_once:
            lists = at_once.map(lambda place: cluster.whole(place[0], place[1], place[2] or None), places)
            others = at_once.map(cluster.read, single)
            return cls(lists=dict(zip(places, lists, strict=True)), others=[each for each in others if each])

    def find(self, manifest: Manifest) -> Manifest | None:
        """Find the live object of the same kind, namespace and name."""
        everything = (
            each for place, objects in self.lists.items() if _is_at(manifest, place) for each in objects
        )
        return next((each for each in (*everything, *self.others) if same_object(each, manifest)), None)

    def of_kind(self, kind: str) -> list[Manifest]:
        """List the live objects of a kind of Kubernetes' own."""
        return [each for place, objects in self.lists.items() if place[1] == kind for each in objects]

    def listed(self, watched: RoutedKind) -> list[Manifest]:
        """List the live objects of a watched kind."""
        return [
            each
            for place, objects in self.lists.items()
            if place[:2] == (watched.api_version, watched.kind)
            for each in objects
        ]


def _all_known(cluster: Cluster, declared: Sequence[Manifest]) -> None:
    """Without its kind there is no object, but none that a person deleted either: nothing could be told."""
    kinds = sorted({(each["apiVersion"], each["kind"]) for each in declared})
    unknown = [f"{kind} of {group}" for group, kind in kinds if not cluster.serves(group, kind)]
    if unknown:
        raise OperationError(
            f"the cluster of context {cluster.context} does not know what the stack declares: "
            f"{', '.join(unknown)}",
            fix="install the missing CustomResourceDefinitions, Istio's or the Gateway API's; or name the "
            "context of the right cluster: pulumi config set kubernetes:context NAME",
        )


def _places(watched: RoutedKind, declared: Sequence[Manifest]) -> list[Place]:
    namespaces = [""] if watched.everywhere else sorted(namespaces_of(declared))
    return [(watched.api_version, watched.kind, name) for name in namespaces]


def _is_at(manifest: Manifest, place: Place) -> bool:
    api_version, kind, namespace = place
    is_kind = (manifest["apiVersion"], manifest["kind"]) == (api_version, kind)
    return is_kind and namespace in ("", manifest["metadata"].get("namespace"))
