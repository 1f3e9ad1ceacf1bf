"""The catalogue of hand edits, and the stacks that they are made on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

FILE: Final = Path(__file__).with_name("catalogue.yaml")
HAND: Final = "hand-made"
"""The name of what nobody declared."""


@dataclass(frozen=True, kw_only=True)
class Mutation:
    """One edit of one object."""

    name: str
    does: str
    """The sort of edit."""
    object: str = ""
    """The object, as kubectl names it; empty for one that is made."""
    stack: str = "istio"
    namespace: str = ""
    """Where the object is, if not in the stack's own namespace."""
    patch: Sequence[Mapping[str, Any]] = ()
    then: Sequence[Mapping[str, Any]] = ()
    """A second patch, after the first."""
    kubectl: str | Sequence[str] = ()
    """Words for kubectl, after the patches if there are any; several are several commands."""
    forgotten: bool = False
    """Whether the API server's notes of what kubectl wrote are taken away after it."""
    apply: Mapping[str, Any] | None = None
    """What another manager applies by force."""
    make: Mapping[str, Any] | None = None
    replace: bool = False
    """Whether the object is deleted and made again, with the patch if there is one."""


def mutations() -> list[Mutation]:
    """List all edits."""
    return [Mutation(**each) for each in _document()["mutations"]]


def stacks() -> dict[str, dict[str, Any]]:
    """List the settings of the stacks by name."""
    return dict(_document()["stacks"])


def _document() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return document
