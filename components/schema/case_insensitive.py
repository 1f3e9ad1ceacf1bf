"""Text that is compared without case. No I/O, no Pulumi."""

from typing import Self

import yaml


class CaseInsensitive(str):
    """Text in lower case that preserves its spelling in the stack file, for paths in messages."""

    __slots__ = ("written",)
    written: str

    def __new__(cls, written: str) -> Self:
        """Create it from the text as written in the stack file."""
        self = super().__new__(cls, written.lower())
        self.written = written
        return self


yaml.SafeDumper.add_representer(CaseInsensitive, lambda dumper, text: dumper.represent_str(str(text)))
