"""The identity of a stack, a label of all its objects. Pure.

`app.kubernetes.io/name` does not identify the stack: two stacks may deploy the same app.
"""

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from components.schema.issues import PROJECT

LABEL: Final = f"{PROJECT}/stack"
"""A label of the objects themselves, not of pods or selectors, where a change would replace pods."""

NO_STACK: Final = "none"
"""The value for a namespace that its stack has released. Identities are longer."""

LONGEST: Final = 56
"""The maximal length of the readable part: with the digest, 63 characters of a label's value."""


def identity(project: str, stack: str) -> str:
    """Return the label's value for a stack: `mesh-app.dev-4f2a1c`.

    Names of projects and stacks may have 100 characters each, and dots. The digest distinguishes `a.b` in `c`
    from `b` in `c.a`, and long names after truncation.
    """
    digest = sha256(f"{project}/{stack}".encode()).hexdigest()[:6]
    readable = re.sub(r"^[^A-Za-z0-9]+", "", f"{project}.{stack}")
    return f"{readable[:LONGEST]}-{digest}"


def owner_of(live: Mapping[str, Any]) -> str | None:
    """Return the identity of the stack that owns a live object; None if it has no label."""
    label: str | None = (live["metadata"].get("labels") or {}).get(LABEL)
    return label
