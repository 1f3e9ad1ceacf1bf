"""Match fields against the patterns of `mesh-app:drift.ignore`. Pure."""

import re
from collections.abc import Iterable
from typing import Final

from components.model.drift import KUBERNETES_FIELDS
from operations.kube.fields import Item, Path, spelled_path

BELOW: Final = r"(?:[.\[].*)?"


class IgnoredFields:
    """The ignored fields of one stack: the patterns of its stack file, and what every cluster writes."""

    def __init__(self, patterns: Iterable[str] = ()) -> None:
        self._patterns = [_compiled(each) for each in (*KUBERNETES_FIELDS, *patterns)]

    def match(self, kind: str, path: Path, value: object) -> bool:
        """Return whether a pattern covers a field, or each item of a list such as `metadata.finalizers`."""
        items = [(*path, Item(label=each, value=each)) for each in value] if isinstance(value, list) else []
        return self._covers(kind, path) or (bool(items) and all(self._covers(kind, each) for each in items))

    def _covers(self, kind: str, path: Path) -> bool:
        text = f"{kind}:{spelled_path(path)}"
        return any(each.fullmatch(text) for each in self._patterns)


def _compiled(pattern: str) -> re.Pattern[str]:
    kind, path = re.fullmatch(r"(?:([A-Za-z]+):)?(.*)", pattern, re.DOTALL).groups()  # type: ignore[union-attr]
    return re.compile(f"{kind or '[A-Za-z]+'}:{re.escape(path).replace(re.escape('*'), '.*')}{BELOW}")
