"""Read from `managedFields` which manager owns which field of a live object. Pure."""

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Self

from operations.drift.findings import Writer
from operations.kube.fields import Item, Path
from operations.kube.manifests import Manifest
from operations.pulumi_stack.stack_identity import PULUMI

Fields = Mapping[str, Any]
APPLY: Final = "Apply"
WEBHOOK_SECONDS: Final = 15
"""A webhook's change is recorded under Pulumi's name, as an update; webhooks have 10 s."""
KUBECTL: Final = ("kubectl", "before-first-apply")
"""Prefixes of managers whose fields Pulumi's provider takes over (`fixCSAFieldManagers`)."""
_DEFAULT_KEYS: Final = {"protocol": "TCP"}
"""Keys of list items that have a default."""


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
        """Return whether the owner has the field, or a field in it."""
        return self.reach(path) == len(path)

    def reach(self, path: Path) -> int:
        """Return how many steps of a path the owner has; all below a list or object that it owns whole."""
        at: Fields = self._fields
        for nth, step in enumerate(path):
            if nth and not at:
                return len(path)  # owned whole
            below = _below(at, step)
            if below is None:
                return nth
            at = below
        return len(path)

    def fields(self, live: Manifest) -> Iterator[tuple[Path, Any]]:
        """Return the plain fields of the owner with their values in a live object."""
        yield from _fields(self._fields, live, ())


class Ownership:
    """All entries of `managedFields` of one live object."""

    def __init__(self, owners: Sequence[Owner]) -> None:
        self.owners = owners

    @classmethod
    def of(cls, live: Manifest) -> Self:
        """Read the entries."""
        return cls([Owner(entry) for entry in live["metadata"].get("managedFields") or ()])

    def applied(self, manager: str | None) -> Owner | None:
        """Return the entry of Pulumi's apply, under the stack's manager if it is known."""
        for each in self.owners:
            writer = each.writer
            if writer.operation == APPLY and not writer.subresource and _is_pulumi(writer, manager):
                return each
        return None

    def other_writers(self, path: Path, manager: str | None) -> list[Writer]:
        """Return the owners of a field other than Pulumi's updates of the stack, latest first."""
        writers = [each.writer for each in self.owners if each.owns(path)]
        found = [each for each in writers if not self._is_stacks(each, manager)]
        return sorted(found, key=lambda writer: writer.time, reverse=True)

    def conflicts(self, path: Path, manager: str | None) -> list[Writer]:
        """Return the other owners of a declared field with which its next change would conflict.

        Pulumi takes over fields that kubectl wrote, unless it was through a subresource.
        """
        found = self.other_writers(path, manager)
        return [each for each in found if each.subresource or not each.manager.startswith(KUBECTL)]

    def _is_stacks(self, writer: Writer, manager: str | None) -> bool:
        """Return whether Pulumi applied it, or a webhook wrote it meanwhile: any client can use the name."""
        if not _is_pulumi(writer, manager):
            return False
        applied = self.applied(manager)
        if applied is None or writer.operation == APPLY:
            return True
        return _seconds(writer) <= _seconds(applied.writer) + WEBHOOK_SECONDS

    def writer(self, path: Path, manager: str | None) -> Writer | None:
        """Return the last writer of a field: of several owners, one that is not Pulumi."""
        others = self.other_writers(path, manager)
        owners = [each.writer for each in self.owners if each.owns(path)]
        return next(iter([*others, *sorted(owners, key=lambda each: each.time, reverse=True)]), None)

    def maker(self) -> Writer | None:
        """Return the creator of the object: the earliest entry."""
        return min((each.writer for each in self.owners), key=lambda each: each.time, default=None)


def leaves(value: Any, path: Path = ()) -> Iterator[Path]:  # noqa: ANN401 (nested plain data)
    """Return the paths of all plain values."""
    if isinstance(value, Mapping) and value:
        for key, each in value.items():
            yield from leaves(each, (*path, key))
    elif isinstance(value, list) and value:
        for nth, each in enumerate(value):
            yield from leaves(each, (*path, Item(label=nth, value=each)))
    elif value is not None:
        yield path


def _fields(at: Fields, value: Any, path: Path) -> Iterator[tuple[Path, Any]]:  # noqa: ANN401
    below = {key: each for key, each in at.items() if key != "."}
    if not below:
        yield path, value
    for key, each in below.items():
        if key.startswith("f:") and isinstance(value, Mapping) and key[2:] in value:
            yield from _fields(each, value[key[2:]], (*path, key[2:]))
        elif isinstance(value, list):
            for item in value:
                step = Item(label=_label(key, item), value=item)
                if _below({key: each}, step) is None:
                    continue
                if "." in each:  # the item itself is owned
                    yield (*path, step), item
                else:
                    yield from _fields(each, item, (*path, step))


def _label(key: str, item: Any) -> str:  # noqa: ANN401 (nested plain data)
    named = json.loads(key[2:]) if key.startswith("k:") else item
    return "/".join(map(str, named.values())) if isinstance(named, Mapping) else str(named)


def _seconds(writer: Writer) -> float:
    return dt.datetime.fromisoformat(writer.time).timestamp() if writer.time else 0


def _is_pulumi(writer: Writer, manager: str | None) -> bool:
    return writer.manager == manager if manager else writer.manager.startswith(PULUMI)


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
