"""Reads the type hints of fields, for the decoder, the JSON Schema and the generated documents."""

from collections.abc import Mapping
from dataclasses import MISSING as NO_DEFAULT
from dataclasses import Field, fields, is_dataclass
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from components.schema.constraints import Example, NotEmpty, Pattern, Range
from components.schema.durations import Duration
from components.schema.key_groups import choices
from components.schema.regex import Regex

Hint = Any
"""The type of a field: `Annotated[int, Range(0, 100)]`, `tuple[Route, ...]`, `A | B`."""


class Shape(Enum):
    """The shapes of data, with their names in messages."""

    TABLE = "a mapping with the keys of this table"
    MAPPING = "a mapping"
    LIST = "a list"
    WORD = "one of several words"
    TEXT = "text"
    WHOLE = "a whole number"
    NUMBER = "a number"
    TRUTH = "true or false"


_SCALARS: Mapping[Hint, Shape] = {
    str: Shape.TEXT,
    int: Shape.WHOLE,
    float: Shape.NUMBER,
    bool: Shape.TRUTH,
}


def unwrap(hint: Hint) -> tuple[Hint, tuple[object, ...]]:
    """Split a hint into the bare type and the metadata of `Annotated`."""
    if _origin(hint) is Annotated:
        return hint.__origin__, hint.__metadata__
    return hint, ()


def members(hint: Hint) -> tuple[Hint, ...]:
    """Return the alternatives of a union, with all its words as one; another type is its only alternative."""
    bare, _ = unwrap(hint)
    if _origin(bare) in {Union, UnionType}:
        found = [member for member in get_args(bare) if member is not NoneType]
        lists = [member for member in found if _origin(member) is Literal]
        words = tuple(word for member in lists for word in get_args(member))
        return (*([Literal[words]] if words else []), *(member for member in found if member not in lists))
    return (hint,)


def shape(hint: Hint) -> Shape:
    """Return the shape of a type that is not a union."""
    bare, _ = unwrap(hint)
    if bare in _SCALARS:
        return _SCALARS[bare]
    if is_dataclass(bare):
        return Shape.TABLE
    if _origin(bare) is Literal:
        return Shape.WORD
    return Shape.LIST if _origin(bare) is tuple else Shape.MAPPING


def arguments(hint: Hint) -> tuple[Hint, ...]:
    """Return the type arguments: a list's entry, a mapping's key and value, a Literal's words."""
    return get_args(unwrap(hint)[0])


@cache
def hints_of(kind: type) -> Mapping[str, Hint]:
    """Return the type hints of a dataclass by field name, with constraints."""
    return get_type_hints(kind, include_extras=True)


@cache
def keys_of(kind: type) -> Mapping[str, "Field[Any]"]:
    """Return the fields of a dataclass by their keys in the stack file."""
    return {key_of(field.name): field for field in fields(kind)}


def key_of(field_name: str) -> str:
    """Return the key of a field in the stack file: `extra_ports` → `extraPorts`."""
    head, *rest = field_name.rstrip("_").split("_")
    return head + "".join(word[:1].upper() + word[1:] for word in rest)


def required(field: "Field[Any]") -> bool:
    """Return whether the stack file must have the field."""
    return field.default is NO_DEFAULT and field.default_factory is NO_DEFAULT


def example_of(hint: Hint) -> object:
    """Return a valid example value."""
    bare, extras = unwrap(hint)
    # The metadata of the field follows that of its type, and takes precedence.
    for extra in reversed(extras):
        if isinstance(extra, Example):
            return extra.value
        if isinstance(extra, Pattern | NotEmpty | Duration | Regex):
            return extra.example
        if isinstance(extra, Range):
            return extra.minimum
    first = members(bare)[0]
    return example_of(first) if first is not bare else _plain_example(bare)


def _plain_example(bare: Hint) -> object:
    match shape(bare):
        case Shape.TABLE:
            wanted = [key for key, field in keys_of(bare).items() if required(field)]
            for choice in choices(bare):
                if choice.at_least and not set(wanted).intersection(choice.keys):
                    wanted.append(choice.keys[0])
            return {key: example_of(hints_of(bare)[keys_of(bare)[key].name]) for key in wanted}
        case Shape.WORD:
            return arguments(bare)[0]
        case Shape.LIST:
            return [example_of(arguments(bare)[0])]
        case Shape.MAPPING:
            key, value = arguments(bare)
            return {str(example_of(key)): example_of(value)}
        case plain:
            return {Shape.TRUTH: True, Shape.TEXT: "TEXT"}.get(plain, 1)


def _origin(hint: Hint) -> object:
    return get_origin(hint)
