"""The identity of a stack, which every object of it carries as a label. Pure.

`app.kubernetes.io/name` does not tell the objects of two stacks apart: both may deploy the same app.
"""

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from components.schema.issues import PROJECT

LABEL: Final = f"{PROJECT}/stack"
"""On the objects themselves, never on pods or in selectors: a change there would replace pods."""

NO_STACK: Final = "none"
"""The label's value on a namespace that its stack has let go of. No identity is that short."""

LONGEST: Final = 56
"""Characters of the readable part: with the digest they fit into the 63 of a label's value."""


def identity(project: str, stack: str) -> str:
    """Return the label's value for a stack: `mesh-app.dev-4f2a1c`.

    Names of projects and stacks may have 100 characters each and dots in them. The digest keeps `a.b` in `c`
    apart from `b` in `c.a`, and long names apart once they are cut.
    """
    digest = sha256(f"{project}/{stack}".encode()).hexdigest()[:6]
    readable = re.sub(r"^[^A-Za-z0-9]+", "", f"{project}.{stack}")
    return f"{readable[:LONGEST]}-{digest}"


def owner_of(live: Mapping[str, Any]) -> str | None:
    """Return the identity of the stack that made a live object; None where it carries none."""
    label: str | None = (live["metadata"].get("labels") or {}).get(LABEL)
    return label
