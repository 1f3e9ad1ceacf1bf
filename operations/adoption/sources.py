"""Reads the existing objects: from YAML files, or from a namespace."""

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
"""The kinds of an app's objects."""

_ASSIGNED = {"Service": ("clusterIP", "clusterIPs", "ipFamilies")}


def from_files(files: Sequence[Path], namespace: str | None) -> list[Manifest]:
    """Read every object of some YAML files.

    Raises:
        OperationError: a file does not exist, is no YAML, or has a document that is no Kubernetes object.
    """
    found = [each for file in files for each in _objects(file)]
    for each in found:
        if each["kind"] != "Namespace" and namespace:
            each["metadata"].setdefault("namespace", namespace)
    return found


def from_namespace(cluster: Cluster, namespace: str) -> list[Manifest]:
    """Read the objects of a namespace, without fields that Kubernetes set."""
    listed = [each for kind in KINDS for each in cluster.every(*kind, namespace)]
    return [without_defaults(each) for each in listed]


def namespace_of(objects: Sequence[Manifest], given: str | None) -> str:
    """Return the namespace of the objects.

    Raises:
        OperationError: there is none, or there are several.
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


def without_defaults(live: Manifest) -> Manifest:
    """Remove defaults and assigned fields from a live object."""
    kind = live["kind"]
    spec = {key: value for key, value in live["spec"].items() if key not in _ASSIGNED.get(kind, ())}
    rest = without(spec, spec_defaults(live))
    return {**live, "spec": {} if rest is ABSENT else rest}


def _objects(file: Path) -> Iterator[Manifest]:
    try:
        documents = list(yaml.safe_load_all(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise OperationError(f"{file}: {error.strerror}", fix="name existing files: -f FILE") from error
    except yaml.YAMLError as error:
        raise OperationError(f"{file} is no YAML", evidence=str(error), fix=f"fix {file}") from error
    for document in documents:
        for each in document["items"] if (document or {}).get("kind") == "List" else [document]:
            if not each:
                continue
            if not {"apiVersion", "kind", "metadata"} <= each.keys():
                raise OperationError(
                    f"{file}: a document without apiVersion, kind and metadata: {', '.join(each)}",
                    fix="name files of Kubernetes objects: -f FILE",
                )
            yield each
