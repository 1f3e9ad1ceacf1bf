"""What is applied to the cluster, as Kubernetes objects in the order in which they are applied."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from operations.pulumi_stack.recorder import Resource

Manifest = dict[str, Any]
"""A Kubernetes object as its API takes it."""

NAMESPACE = "kubernetes:core/v1:Namespace"

HEAD = ("apiVersion", "kind", "metadata")
"""What a reader looks for first. The rest follows by name, so that equal objects are equal text."""


def is_applied(resource: Resource) -> bool:
    """Tell whether Pulumi applies this resource to the cluster: not components, providers, what is read."""
    return resource.custom and not resource.read and resource.type.startswith("kubernetes:")


def in_order(resources: Sequence[Resource]) -> list[Resource]:
    """Order resources so that each comes after all that it waits for, always in the same way.

    Namespaces come first: what is in one waits for it through its component, which the object does not tell.
    The order of registration is no such order: tasks that wait for nothing register as they come.
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
    """Quotes the letters that Kubernetes' YAML reads as truths, and PyYAML as text."""


_Dumper.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^[yYnN]$"), list("yYnN"))


def as_json(objects: Sequence[Manifest]) -> str:
    """Write one list, as kubectl reads it."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}, indent=2, ensure_ascii=False)


def _ordered(inputs: Mapping[str, Any]) -> Manifest:
    rest = sorted(key for key in inputs if key not in HEAD)
    return {key: _sorted(inputs[key]) for key in (*HEAD, *rest)}


def _sorted(value: Any) -> Any:  # noqa: ANN401 (nested plain data)
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(each) for each in value] if isinstance(value, list) else value
