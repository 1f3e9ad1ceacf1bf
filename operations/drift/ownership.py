"""Who owns which field of a live object, as the API server notes it in `managedFields`. Pure."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Self

from operations.drift.findings import Writer
from operations.fields import Item, Path
from operations.manifests import Manifest

Fields = Mapping[str, Any]
APPLY: Final = "Apply"
_DEFAULT_KEYS: Final = {"protocol": "TCP"}
"""Keys of list items that a declaration may leave to the API server."""


class Owner:
    """One entry of `managedFields`."""

    def __init__(self, entry: Mapping[str, Any]) -> None:
        self.writer = Writer(
            manager=entry.get("manager", ""),
            operation=entry.get("operation", ""),
            time=entry.get("time", ""),
            subresource=entry.get("subresource", ""),
        )
        self._fields: Fields = entry.get("fieldsV1") or {}

    def owns(self, path: Path) -> bool:
        """Tell whether the field is the owner's, or something in it."""
        return self.reach(path) == len(path)

    def reach(self, path: Path) -> int:
        """Count the steps of a path that are the owner's. A list or object owned whole reaches to its end."""
        at: Fields = self._fields
        for nth, step in enumerate(path):
            if nth and not at:
                return len(path)  # owned whole
            below = _below(at, step)
            if below is None:
                return nth
            at = below
        return len(path)


class Ownership:
    """All entries of one live object."""

    def __init__(self, owners: Sequence[Owner]) -> None:
        self.owners = owners

    @classmethod
    def of(cls, live: Manifest) -> Self:
        """Read them."""
        return cls([Owner(entry) for entry in live["metadata"].get("managedFields") or ()])

    def applied(self, manager: str | None) -> Owner | None:
        """Find what Pulumi applied: in the stack's own name, or where none is known in any of Pulumi's."""
        for each in self.owners:
            writer = each.writer
            if writer.operation == APPLY and not writer.subresource and _is_pulumi(writer, manager):
                return each
        return None

    def strangers(self, path: Path, manager: str | None) -> list[Writer]:
        """List who owns a field besides what Pulumi wrote, latest first.

        What Pulumi's manager owns by an update was written by a webhook while Pulumi applied.
        """
        found = [
            each.writer for each in self.owners if each.owns(path) and not _is_pulumi(each.writer, manager)
        ]
        return sorted(found, key=lambda writer: writer.time, reverse=True)

    def writer(self, path: Path, manager: str | None) -> Writer | None:
        """Tell who wrote a field last: of several owners, one that is not Pulumi."""
        others = self.strangers(path, manager)
        owners = [each.writer for each in self.owners if each.owns(path)]
        return next(iter([*others, *sorted(owners, key=lambda each: each.time, reverse=True)]), None)

    def maker(self) -> Writer | None:
        """Tell who made the object: the earliest entry that is left."""
        return min((each.writer for each in self.owners), key=lambda each: each.time, default=None)


def leaves(value: Any, path: Path = ()) -> Iterator[Path]:  # noqa: ANN401 (nested plain data)
    """List the ways to all plain values."""
    if isinstance(value, Mapping) and value:
        for key, each in value.items():
            yield from leaves(each, (*path, key))
    elif isinstance(value, list) and value:
        for nth, each in enumerate(value):
            yield from leaves(each, (*path, Item(label=nth, value=each)))
    elif value is not None:
        yield path


def _is_pulumi(writer: Writer, manager: str | None) -> bool:
    return writer.manager == manager if manager else writer.manager.startswith("pulumi-kubernetes")


def _below(at: Fields, step: str | Item) -> Fields | None:
    if isinstance(step, str):
        return at.get(f"f:{step}")
    for key, fields in at.items():
        if key.startswith("v:") and json.loads(key[2:]) == step.value:
            return dict(fields)
        if key.startswith("k:") and isinstance(step.value, Mapping):
            named = json.loads(key[2:])
            if all(step.value.get(name, _DEFAULT_KEYS.get(name)) == value for name, value in named.items()):
                return dict(fields)
    return None
