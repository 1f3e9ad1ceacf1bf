"""The placeholder for a value that failed to decode. No I/O, no Pulumi."""

from collections.abc import Mapping
from typing import NoReturn


class InvalidValueError(Exception):
    """A rule read a value that failed to decode."""


class Invalid:
    """Placeholder for a value that failed to decode: any use of it raises `InvalidValueError`."""

    def _raise(self, *_: object) -> NoReturn:
        raise InvalidValueError

    __getattr__ = __getitem__ = __iter__ = __len__ = __contains__ = __bool__ = __str__ = _raise
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __add__ = __radd__ = __hash__ = _raise


def is_valid(value: object) -> bool:
    """Return whether a value and all its parts were decoded."""
    if isinstance(value, Mapping):
        return all(map(is_valid, value.values()))
    if isinstance(value, list | tuple):
        return all(map(is_valid, value))
    return not isinstance(value, Invalid)
