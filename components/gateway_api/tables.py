"""The tables of a stack file, one inside another, with their places."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass

from components.schema.issues import Path
from components.schema.type_hints import key_of


def tables(value: object, at: Path) -> Iterator[tuple[Path, object]]:
    """List every table in a value, from the outside in."""
    if is_dataclass(value):
        yield at, value
        inside = [(at / key, said) for key, said, _ in keys(value)]
    elif isinstance(value, Mapping):
        inside = [(at / key, said) for key, said in value.items()]
    else:
        inside = [(at / nth, said) for nth, said in enumerate(value)] if isinstance(value, tuple) else []
    for path, said in inside:
        yield from tables(said, path)


def keys(table: object) -> Iterator[tuple[str, object, object]]:
    """List the keys of a table, what it says there, and what it would say by itself."""
    for field in fields(table):  # type: ignore[arg-type]
        yield key_of(field.name), getattr(table, field.name), field.default
