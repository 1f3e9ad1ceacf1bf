"""What a check finds: data that people, machines and other operations read."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from operations.kube.fields import ABSENT


class Problem(StrEnum):
    """What is wrong with an object."""

    CHANGED = "changed"
    """A declared field has another value."""
    ADDED = "added"
    """A field or an item that nobody declared."""
    REMOVED = "removed"
    """A declared field or item that is not there."""
    REORDERED = "reordered"
    """The items of a list stand in another order."""
    TAKEN = "taken"
    """The value is right, but another manager owns the field, alone or with Pulumi."""
    MISSING = "missing"
    """A declared object that is not there."""
    REPLACED = "replaced"
    """An object of the same name that is not the one which the stack made."""
    LEAVING = "leaving"
    """Somebody asked for the object's deletion, and a finalizer holds it."""
    UNDECLARED = "undeclared"
    """An object that nobody declared and that touches the stack's hosts or pods."""


@dataclass(frozen=True, kw_only=True, order=True)
class Ref:
    """Which object."""

    api_version: str
    kind: str
    namespace: str
    """Empty for an object of the whole cluster."""
    name: str

    def __str__(self) -> str:
        """As a person names it."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


@dataclass(frozen=True, kw_only=True)
class Writer:
    """Who wrote a field when, as the API server noted it in `managedFields`."""

    manager: str
    operation: str
    """`Apply` or `Update`."""
    time: str
    """RFC 3339, UTC."""
    subresource: str = ""

    def __str__(self) -> str:
        """As a person reads it."""
        through = f" ({self.subresource})" if self.subresource else ""
        return f"{self.manager}{through} {self.time}"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One difference between what is declared and what is there."""

    ref: Ref
    problem: Problem
    path: str = ""
    """Which field, as `spec.http[0].route[1].weight`; empty where it is the whole object."""
    declared: object = ABSENT
    live: object = ABSENT
    writer: Writer | None = None
    """None where the API server keeps no note: it has none of removals."""
    why: str = ""
    """What an undeclared object touches, or what the problem leads to."""
    is_foreign: bool = False
    """Whether it is an undeclared object that this stack did not make: such a one is never deleted."""
    pending: bool = False
    """Whether it is a change of the stack file that was not yet applied, which `pulumi up` makes."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """The outcome of one check. That there is one means that everything could be read."""

    stack: str
    context: str
    time: dt.datetime
    compared: int
    """How many live objects were compared whole with their declarations."""
    unapplied: Sequence[str]
    """What `pulumi up` would do, for the stack file changed after the last one: `update Service ns/app`."""
    findings: Sequence[Finding]

    @property
    def clean(self) -> bool:
        """Whether everything is as declared."""
        return not self.findings

    def of(self, *kinds: str) -> list[Finding]:
        """Pick the findings on objects of some kinds: `report.of("VirtualService", "HTTPRoute")`."""
        return [each for each in self.findings if each.ref.kind in kinds]
