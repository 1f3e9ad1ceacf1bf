"""The keys of a dataclass with their descriptions, defaults and examples."""

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, is_dataclass
from typing import Any

from components.schema.type_hints import (
    Hint,
    Shape,
    arguments,
    example_of,
    hints_of,
    keys_of,
    members,
    required,
    shape,
    unwrap,
)
from reference import docstrings


@dataclass(frozen=True, kw_only=True)
class Key:
    """One key of a mapping of the stack file."""

    name: str
    hint: Hint
    required: bool
    default: object
    """The default as plain data; None without one, an empty mapping if all keys of a table have theirs."""

    description: str
    """The docstring of the field, or else of its type."""

    @property
    def example(self) -> object:
        """A valid value."""
        return example_of(self.hint)


def keys(kind: type) -> tuple[Key, ...]:
    """Return the keys of a dataclass, required ones first."""
    hints, description = hints_of(kind), docstrings.of_fields(kind)
    found = [
        Key(
            name=name,
            hint=hints[field.name],
            required=required(field),
            default=plain(_default(field)),
            description=description.get(field.name) or _of_types(hints[field.name]),
        )
        for name, field in keys_of(kind).items()
    ]
    return tuple(sorted(found, key=lambda key: not key.required))


def tables(hint: Hint) -> Iterator[type]:
    """Yield the dataclasses of a type hint, including entries of lists and mappings."""
    for member in members(hint):
        match shape(member):
            case Shape.TABLE:
                yield unwrap(member)[0]
            case Shape.LIST:
                yield from tables(arguments(member)[0])
            case Shape.MAPPING:
                yield from tables(arguments(member)[1])


def plain(value: object) -> object:
    """Encode a value as in a stack file, without defaults."""
    if is_dataclass(value) and not isinstance(value, type):
        given = {key: (field, getattr(value, field.name)) for key, field in keys_of(type(value)).items()}
        return {key: plain(own) for key, (field, own) in given.items() if own != _default(field)}
    if isinstance(value, Mapping):
        return {key: plain(own) for key, own in value.items()}
    return [plain(own) for own in value] if isinstance(value, tuple) else value


def _default(field: "Field[Any]") -> object:
    if field.default_factory is not MISSING:
        return field.default_factory()
    return None if field.default is MISSING else field.default


def _of_types(hint: Hint) -> str:
    return " ".join(docstrings.of_class(kind) for kind in tables(hint))
