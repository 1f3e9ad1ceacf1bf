"""Text that is compared without case. No I/O, no Pulumi."""

from typing import Self

import yaml


class CaseInsensitive(str):
    """Text in lower case that remembers how the stack file has it, for messages that lead there."""

    __slots__ = ("written",)
    written: str

    def __new__(cls, written: str) -> Self:
        """Take the text as it is written."""
        self = super().__new__(cls, written.lower())
        self.written = written
        return self


yaml.SafeDumper.add_representer(CaseInsensitive, lambda dumper, text: dumper.represent_str(str(text)))
