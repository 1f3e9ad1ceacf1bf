"""The program without one of the mechanisms that keep requests from being lost: mechanisms.yaml."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import yaml

from bench.commands import CHECKOUT

MECHANISMS: Final[Sequence[dict[str, Any]]] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text())
"""Of each the name, the change that needs it, and the texts of the program that are replaced without it."""


@contextmanager
def without(name: str, folder: Path) -> Iterator[None]:
    """Give a project folder a copy of the program without a mechanism, if one is named; then the original.

    Raises:
        RuntimeError: a file of the program has no such text.
    """
    components = folder / "components"
    components.unlink()
    shutil.copytree(CHECKOUT / "components", components)
    try:
        for edit in (edit for each in MECHANISMS if each["name"] == name for edit in each["edits"]):
            file = components / edit["file"]
            text = file.read_text()
            if edit["old"] not in text:
                message = f"{edit['file']} has no text that `without {name}` replaces: {edit['old']}"
                raise RuntimeError(message)
            file.write_text(text.replace(edit["old"], edit["new"]))
        yield
    finally:
        shutil.rmtree(components)
        components.symlink_to(CHECKOUT / "components")
