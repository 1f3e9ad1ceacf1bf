"""Paths in a stack file: the first path of every table, and a command for every value."""

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from components.schema.issues import Path, assign
from components.schema.type_hints import Hint, Shape, arguments, example_of, members, shape, unwrap
from reference.keys import Key, keys


def places(top_level: Sequence[tuple[Key, Path]]) -> Mapping[type, Path]:
    """Return the first path of every dataclass, each followed by those below it."""
    found: dict[type, Path] = {}
    for key, path in top_level:
        _walk(key.hint, path, found)
    return found


def assignments(hint: Hint, value: object, path: Path) -> Iterator[str]:
    """Yield the commands that set a value, without those of tables, whose keys have their own."""
    by_shape = {shape(member): member for member in members(hint)}
    if isinstance(value, dict):
        if Shape.MAPPING in by_shape:
            of_entry = arguments(by_shape[Shape.MAPPING])[1]
            for name, entry in value.items():
                yield from assignments(of_entry, entry, path / name)
    elif isinstance(value, list):
        for nth, entry in enumerate(value):
            yield from assignments(arguments(by_shape[Shape.LIST])[0], entry, path / nth)
    else:
        yield assign(path, value)


def _walk(hint: Hint, path: Path, found: dict[type, Path]) -> None:
    for member in members(hint):
        match shape(member):
            case Shape.TABLE:
                kind = unwrap(member)[0]
                if kind not in found:
                    found[kind] = path
                    for key in keys(kind):
                        _walk(key.hint, path / key.name, found)
            case Shape.LIST:
                _walk(arguments(member)[0], path / 0, found)
            case Shape.MAPPING:
                name = next(iter(cast("Mapping[str, object]", example_of(member))))
                _walk(arguments(member)[1], path / name, found)
