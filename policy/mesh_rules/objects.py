"""The objects of a stack as plain data. What Pulumi does not know yet is UNKNOWN, and breaks no law."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, TypeAlias

Value: TypeAlias = Any
"""What an object holds somewhere: mappings, lists and scalars, or UNKNOWN in place of any of them."""

Kind: TypeAlias = tuple[str, str]
"""An API group and a kind. The group's version is left open: v1beta1 says the same as v1."""

_TOKEN: Final = re.compile(r"kubernetes:(?P<group>[^/:]+)/v[^/:]+:(?P<kind>\w+)")


class _Unknown(Enum):
    UNKNOWN = "(not yet known)"

    def __str__(self) -> str:
        return self.value


UNKNOWN: Final = _Unknown.UNKNOWN
"""A value that an update will bring. It may still turn out to be any value."""


@dataclass(frozen=True, kw_only=True)
class Object:
    """A Kubernetes object that a stack declares."""

    kind: Kind
    name: Value
    namespace: Value
    """`default` where none is said, as for Kubernetes; without meaning for a Namespace."""

    fields: Mapping[str, Value]
    """The object whole: `metadata`, `spec` and the rest."""

    urn: str

    @classmethod
    def read(cls, token: str, name: str, urn: str, fields: Mapping[str, Value]) -> "Object | None":
        """Take a Pulumi resource for an object; None where its type is not one of Kubernetes."""
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
        """Name it as in `VirtualService shop/cart`; the policy config names objects the same way."""
        _, kind = self.kind
        return f"{kind} {self.name}" if kind == "Namespace" else f"{kind} {self.namespace}/{self.name}"

    @property
    def stack(self) -> str:
        """The name of the stack that declares it."""
        return self.urn.split("::")[0].removeprefix("urn:pulumi:")


def of_kind(objects: Iterable[Object], *kinds: Kind) -> Iterator[Object]:
    """Pick the objects of these kinds."""
    return (each for each in objects if each.kind in kinds)


def at(value: Value, *steps: str) -> Value:
    """Follow keys down: None where nothing is, UNKNOWN where something unknown is on the way."""
    for step in steps:
        if value is UNKNOWN:
            return UNKNOWN
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def entries(value: Value) -> list[tuple[int, Value]]:
    """Number the entries of a list. What is absent or unknown has none."""
    return list(enumerate(value)) if isinstance(value, list) else []


def may_equal(left: Value, right: Value) -> bool:
    """Say whether two values are, or may yet turn out to be, the same."""
    return left is UNKNOWN or right is UNKNOWN or bool(left == right)


def may_hold(labels: Value, wanted: Value) -> bool:
    """Say whether labels have, or may yet turn out to have, all that are wanted."""
    if labels is UNKNOWN or wanted is UNKNOWN:
        return True
    return all(may_equal((labels or {}).get(key), value) for key, value in (wanted or {}).items())
