"""What stands where a value could not be read. No I/O, no Pulumi."""

from collections.abc import Mapping
from typing import NoReturn


class InvalidValueError(Exception):
    """A rule asked for a value that has a fault already."""


class Invalid:
    """Stands where a value could not be read."""

    def _raise(self, *_: object) -> NoReturn:
        raise InvalidValueError

    __getattr__ = __getitem__ = __iter__ = __len__ = __contains__ = __bool__ = __str__ = _raise
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __add__ = __radd__ = __hash__ = _raise


def is_valid(value: object) -> bool:
    """Tell whether a value could be read whole."""
    if isinstance(value, Mapping):
        return all(map(is_valid, value.values()))
    if isinstance(value, list | tuple):
        return all(map(is_valid, value))
    return not isinstance(value, Invalid)
