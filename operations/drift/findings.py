"""The result of a check as data."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from operations.kube.fields import ABSENT


class Problem(StrEnum):
    """How an object differs from its declaration."""

    CHANGED = "changed"
    """A declared field has a different value."""
    ADDED = "added"
    """A field or list item is not declared."""
    REMOVED = "removed"
    """A declared field or list item is missing."""
    REORDERED = "reordered"
    """The items of a list have a different order."""
    TAKEN = "taken"
    """The value is right, but another manager owns the field, alone or with Pulumi."""
    MISSING = "missing"
    """A declared object does not exist."""
    REPLACED = "replaced"
    """The object was deleted, and created again by another client."""
    LEAVING = "leaving"
    """Deletion of the object was requested, and a finalizer blocks it."""
    UNDECLARED = "undeclared"
    """An object that the stack does not declare affects its hosts or pods."""


@dataclass(frozen=True, kw_only=True, order=True)
class Ref:
    """The reference to an object."""

    api_version: str
    kind: str
    namespace: str
    """Empty for a cluster-scoped object."""
    name: str

    def __str__(self) -> str:
        """Return kind, namespace and name."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


@dataclass(frozen=True, kw_only=True)
class Writer:
    """The last writer of a field, as recorded in `managedFields`."""

    manager: str
    operation: str
    """`Apply` or `Update`."""
    time: str
    """RFC 3339, UTC."""
    subresource: str = ""

    def __str__(self) -> str:
        """Return manager, subresource and time."""
        through = f" ({self.subresource})" if self.subresource else ""
        return f"{self.manager}{through} {self.time}"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One difference between the declared and the live objects."""

    ref: Ref
    problem: Problem
    path: str = ""
    """The field, as `spec.http[0].route[1].weight`; empty for a whole object."""
    declared: object = ABSENT
    live: object = ABSENT
    writer: Writer | None = None
    """None if `managedFields` has no entry; it has none for removed fields."""
    why: str = ""
    """What an undeclared object affects, or the consequence of the problem."""
    is_foreign: bool = False
    """Whether it is an undeclared object that this stack did not create. It is never deleted."""
    pending: bool = False
    """Whether it is a change of the stack file that `pulumi up` has not applied yet."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """The result of a check in which everything could be read."""

    stack: str
    context: str
    time: dt.datetime
    compared: int
    """The number of live objects that were compared with their declarations."""
    unapplied: Sequence[str]
    """The changes that `pulumi up` would apply, such as `update Service ns/app`."""
    findings: Sequence[Finding]

    @property
    def clean(self) -> bool:
        """Whether there are no findings."""
        return not self.findings

    def of(self, *kinds: str) -> list[Finding]:
        """Return the findings on some kinds: `report.of("VirtualService", "HTTPRoute")`."""
        return [each for each in self.findings if each.ref.kind in kinds]
