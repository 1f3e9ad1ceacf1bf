"""What a team keeps: YAML files, or the objects of a live namespace."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import yaml

from operations.errors import OperationError
from operations.kube.cluster import Cluster, in_kind
from operations.kube.defaults import spec_defaults
from operations.kube.fields import ABSENT, without
from operations.kube.manifests import Manifest

KINDS: Final = (
    ("v1", "Service"),
    ("apps/v1", "Deployment"),
    ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ("networking.istio.io/v1", "DestinationRule"),
    ("networking.istio.io/v1", "Gateway"),
    ("networking.istio.io/v1", "VirtualService"),
)
"""What an app is made of."""

_ASSIGNED = {"Service": ("clusterIP", "clusterIPs", "ipFamilies")}


def from_files(files: Sequence[Path], namespace: str | None) -> list[Manifest]:
    """Read every object of some YAML files.

    Raises:
        OperationError: a file is not there, no YAML, or holds something that is no Kubernetes object.
    """
    found = [each for file in files for each in _objects(file)]
    for each in found:
        if each["kind"] != "Namespace" and namespace:
            each["metadata"].setdefault("namespace", namespace)
    return found


def from_namespace(cluster: Cluster, namespace: str) -> list[Manifest]:
    """Read the objects of a namespace that an app is made of, less what Kubernetes wrote into them."""
    listed = [each for kind in KINDS for each in cluster.every(*kind, namespace)]
    return [said(each) for each in listed]


def namespace_of(objects: Sequence[Manifest], given: str | None) -> str:
    """Tell the namespace of all the objects.

    Raises:
        OperationError: none is said, or there are several.
    """
    names = {each["metadata"].get("namespace") for each in objects if each["kind"] != "Namespace"}
    names |= {each["metadata"]["name"] for each in in_kind(objects, "Namespace")}
    names -= {None}
    if given and (not names or given in names):
        return given
    if len(names) != 1:
        found = ", ".join(sorted(map(str, names))) or "none"
        raise OperationError(f"a stack has one namespace, and the objects name: {found}", fix="-n NAMESPACE")
    return str(names.pop())


def said(live: Manifest) -> Manifest:
    """Leave out of a live object what somebody need not have said: defaults, and what was assigned."""
    kind = live["kind"]
    spec = {key: value for key, value in live["spec"].items() if key not in _ASSIGNED.get(kind, ())}
    rest = without(spec, spec_defaults(live))
    return {**live, "spec": {} if rest is ABSENT else rest}


def _objects(file: Path) -> Iterator[Manifest]:
    try:
        documents = list(yaml.safe_load_all(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise OperationError(f"{file}: {error.strerror}", fix="name files that are there: -f FILE") from error
    except yaml.YAMLError as error:
        raise OperationError(f"{file} is no YAML", evidence=str(error), fix=f"mend {file}") from error
    for document in documents:
        for each in document["items"] if (document or {}).get("kind") == "List" else [document]:
            if not each:
                continue
            if not {"apiVersion", "kind", "metadata"} <= each.keys():
                raise OperationError(
                    f"{file}: a document without apiVersion, kind and metadata: {', '.join(each)}",
                    fix="give files of Kubernetes objects: -f FILE",
                )
            yield each
