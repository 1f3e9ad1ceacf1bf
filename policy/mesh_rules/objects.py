"""The objects of a stack as plain data. A value that is not known yet is UNKNOWN, and breaks no rule."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, TypeAlias

Value: TypeAlias = Any
"""A field of an object: mapping, list or scalar, or UNKNOWN in place of any of them."""

Kind: TypeAlias = tuple[str, str]
"""An API group and a kind, without the version: v1beta1 has the same fields as v1."""

_TOKEN: Final = re.compile(r"kubernetes:(?P<group>[^/:]+)/v[^/:]+:(?P<kind>\w+)")


class _Unknown(Enum):
    UNKNOWN = "(not yet known)"

    def __str__(self) -> str:
        return self.value


UNKNOWN: Final = _Unknown.UNKNOWN
"""A value that is known only during the update."""


@dataclass(frozen=True, kw_only=True)
class Object:
    """A Kubernetes object that a stack declares."""

    kind: Kind
    name: Value
    namespace: Value
    """`default` if it is not set, as in Kubernetes; without meaning for a Namespace."""

    fields: Mapping[str, Value]
    """The whole object: `metadata`, `spec` and the rest."""

    urn: str

    @classmethod
    def read(cls, token: str, name: str, urn: str, fields: Mapping[str, Value]) -> "Object | None":
        """Convert a Pulumi resource; None if its type is not one of Kubernetes."""
        found = _TOKEN.fullmatch(token)
        if found is None:
            return None
        metadata = fields.get("metadata")
        return cls(
            kind=(found["group"], found["kind"]),
            name=at(metadata, "name") or name,
            namespace=at(metadata, "namespace") or "default",
            fields=fields,
            urn=urn,
        )

    def __str__(self) -> str:
        """Format it as `VirtualService shop/cart`, as in the policy config."""
        _, kind = self.kind
        return f"{kind} {self.name}" if kind == "Namespace" else f"{kind} {self.namespace}/{self.name}"

    @property
    def stack(self) -> str:
        """The name of the stack that declares it."""
        return self.urn.split("::")[0].removeprefix("urn:pulumi:")


def of_kind(objects: Iterable[Object], *kinds: Kind) -> Iterator[Object]:
    """Filter the objects of these kinds."""
    return (each for each in objects if each.kind in kinds)


def at(value: Value, *steps: str) -> Value:
    """Return the value at a path of keys: None if there is none, UNKNOWN if a value above it is unknown."""
    for step in steps:
        if value is UNKNOWN:
            return UNKNOWN
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def entries(value: Value) -> list[tuple[int, Value]]:
    """Enumerate a list; a value that is missing or unknown has no entries."""
    return list(enumerate(value)) if isinstance(value, list) else []


def may_equal(left: Value, right: Value) -> bool:
    """Return whether two values are equal, or may be equal once both are known."""
    return left is UNKNOWN or right is UNKNOWN or bool(left == right)


def may_hold(labels: Value, wanted: Value) -> bool:
    """Return whether labels have all that are wanted, or may have them once they are known."""
    if labels is UNKNOWN or wanted is UNKNOWN:
        return True
    return all(may_equal((labels or {}).get(key), value) for key, value in (wanted or {}).items())
