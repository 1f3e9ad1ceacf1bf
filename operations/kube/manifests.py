"""The Kubernetes objects that a program declares, in the order in which Pulumi applies them."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from operations.pulumi_stack.recorder import Resource

Manifest = dict[str, Any]
"""A Kubernetes object in the form of its API."""

NAMESPACE = "kubernetes:core/v1:Namespace"

HEAD = ("apiVersion", "kind", "metadata")
"""Keys that come first. The others are sorted, so that equal objects give equal text."""


def is_applied(resource: Resource) -> bool:
    """Return whether Pulumi applies a resource to the cluster: not a component, provider or read object."""
    return resource.custom and not resource.read and resource.type.startswith("kubernetes:")


def in_order(resources: Sequence[Resource]) -> list[Resource]:
    """Sort resources so that each follows its dependencies; the order is deterministic.

    Namespaces come first: their objects depend on them through components, which a resource does not list.
    The order of registration is not deterministic, since independent tasks register concurrently.
    """
    by_urn = {each.urn: each for each in resources}
    ranks: dict[str, int] = {}

    def rank(urn: str) -> int:
        if urn not in ranks:
            known = [each for each in by_urn[urn].dependencies if each in by_urn]
            ranks[urn] = 1 + max(map(rank, known), default=0)
        return ranks[urn]

    def place(one: Resource) -> tuple[bool, int, str, str]:
        return one.type != NAMESPACE, rank(one.urn), one.type.rpartition(":")[2], one.name

    return sorted(resources, key=place)


def manifests(resources: Sequence[Resource]) -> list[Manifest]:
    """List the objects that Pulumi's provider sends by server-side apply: the inputs as they are.

    Read from provider 4.25 (`Check`, `Creation`): with server-side apply it adds no label, and the
    annotations `pulumi.com/…` go to the cluster like any other.
    """
    return [_ordered(each.inputs) for each in in_order(resources) if is_applied(each)]


def as_yaml(objects: Sequence[Manifest]) -> str:
    """Write a YAML stream, as kubectl reads it."""
    return yaml.dump_all(
        objects, Dumper=_Dumper, explicit_start=True, sort_keys=False, allow_unicode=True, width=10_000
    )


class _Dumper(yaml.SafeDumper):
    """Quotes letters that are booleans in Kubernetes' YAML and text in PyYAML."""


_Dumper.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^[yYnN]$"), list("yYnN"))


def as_json(objects: Sequence[Manifest]) -> str:
    """Write a List object, as kubectl reads it."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}, indent=2, ensure_ascii=False)


def _ordered(inputs: Mapping[str, Any]) -> Manifest:
    rest = sorted(key for key in inputs if key not in HEAD)
    return {key: _sorted(inputs[key]) for key in (*HEAD, *rest)}


def _sorted(value: Any) -> Any:  # noqa: ANN401 (nested plain data)
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(each) for each in value] if isinstance(value, list) else value
