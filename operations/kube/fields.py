"""Fields of Kubernetes objects: paths and values as text. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import yaml


class _Absent:
    """The type of ABSENT."""

    def __repr__(self) -> str:
        return "ABSENT"

    def __reduce__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent()
"""A field that does not exist; null is a value."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """A step into a list: to the item at an index, or with a name."""

    label: int | str
    value: Any = field(compare=False)

    def __str__(self) -> str:
        """Return the item's part of a path."""
        return f"[{self.label}]"


Path = tuple[str | Item, ...]
"""The steps to a field."""


def spelled_path(path: Path) -> str:
    """Write a path as `spec.ports[http].port`, with keys that contain dots in brackets."""
    text = ""
    for step in path:
        if isinstance(step, Item):
            text += str(step)
        elif "." in step or "/" in step:
            text += f'["{step}"]'
        else:
            text += f".{step}" if text else step
    return text


def flow(value: object) -> str:
    """Write a value on one line."""
    text = yaml.safe_dump(value, default_flow_style=True, width=10_000, sort_keys=False)
    return text.removesuffix("\n").removesuffix("\n...")


def without(value: Any, default: Any) -> Any:  # noqa: ANN401 (nested plain data)
    """Return a value without the parts that equal their default; ABSENT if nothing is left.

    A list's default applies to each of its items, which all remain.
    """
    if value == default and isinstance(value, bool) is isinstance(default, bool):
        return ABSENT
    if isinstance(value, Mapping) and isinstance(default, Mapping) and value:
        rest = {key: without(each, default.get(key, ABSENT)) for key, each in value.items()}
        return {key: each for key, each in rest.items() if each is not ABSENT} or ABSENT
    if isinstance(value, list) and isinstance(default, list) and default:
        items = (without(each, default[0]) for each in value)
        return [{} if each is ABSENT else each for each in items]
    return value
