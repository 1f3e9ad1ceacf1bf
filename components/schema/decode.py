"""Decodes plain data into frozen dataclasses by their type hints. No I/O, no Pulumi.

All errors are collected. A value that failed to decode is replaced by a placeholder that raises
`InvalidValueError` when a rule reads it, so that the rules for the valid rest of the stack file still run.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass
from difflib import get_close_matches
from typing import Any, Final, TypeVar, cast

from components.schema.case_insensitive import CaseInsensitive
from components.schema.constraints import VALID_UNICODE, Constraint, Pattern
from components.schema.invalid import Invalid, InvalidValueError
from components.schema.issues import Issue, Path, assign, command
from components.schema.key_groups import choices
from components.schema.messages import (
    DUPLICATE_KEY,
    INVALID_CHOICE,
    MISSING,
    UNKNOWN_KEY,
    UNQUOTED,
    WRONG_TYPE,
)
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

T = TypeVar("T")

LONGEST_NUMBER: Final = 18
"""The digits of a number that a fix can repeat exactly."""


def decode(kind: type[T], data: object, path: Path) -> tuple[T, list[Issue]]:
    """Decode `data` as a `kind`. Returns the value and all issues; without issues the value is valid."""
    decoder = _Decoder()
    return cast("T", decoder.read(kind, data, path)), decoder.issues


def encode(value: object) -> Any:  # noqa: ANN401 - plain data of any shape
    """Encode a value as plain data with the keys of the stack file, without absent keys."""
    if is_dataclass(value) and not isinstance(value, type):
        given = {key: getattr(value, field.name) for key, field in keys_of(type(value)).items()}
        return {key: encode(each) for key, each in given.items() if each not in (None, (), {})}
    if isinstance(value, Mapping):
        return {str(key): encode(each) for key, each in value.items()}
    return [encode(each) for each in value] if isinstance(value, tuple) else value


class _Decoder:
    def __init__(self) -> None:
        self.issues: list[Issue] = []

    def read(self, hint: Hint, data: object, path: Path) -> object:
        """Decode one value and check the constraints of its type."""
        matching = [each for each in members(hint) if _has_shape(shape(each), data)]
        if not matching:
            return self._wrong_type(hint, data, path)
        # If both a choice of words and other text are allowed, a text is a word only if it is one of them.
        words = [each for each in matching if shape(each) is Shape.WORD and str(data) in arguments(each)]
        (alternative, *_) = words or [each for each in matching if shape(each) is not Shape.WORD] or matching
        value = self._shaped(alternative, data, path)
        if isinstance(value, Invalid):
            return value
        extras = (*unwrap(hint)[1], *(unwrap(alternative)[1] if alternative is not hint else ()))
        constraints = [extra for extra in extras if isinstance(extra, Constraint)]
        example = example_of(alternative if alternative is not hint and not unwrap(hint)[1] else hint)
        try:
            found = [issue for constraint in constraints if (issue := constraint.issue(value, path, example))]
        except InvalidValueError:
            return value
        self.issues += found
        folds = any(isinstance(each, Pattern) and each.folds for each in constraints)
        return Invalid() if found else str(value).lower() if folds else value

    def _shaped(self, hint: Hint, data: object, path: Path) -> object:
        bare, _ = unwrap(hint)
        match shape(hint):
            case Shape.TABLE:
                return self._table(bare, cast("Mapping[str, object]", data), path)
            case Shape.MAPPING:
                return self._mapping(bare, cast("Mapping[str, object]", data), path)
            case Shape.LIST:
                (entry, *_) = arguments(bare)
                entries = cast("Sequence[object]", data)
                return tuple(self.read(entry, each, path / nth) for nth, each in enumerate(entries))
            case Shape.WORD:
                return self._word(arguments(bare), str(data), path)
            case Shape.TEXT:
                issue = VALID_UNICODE.issue(text := str(data), path, example_of(hint))
                return self._invalid(issue) if issue else text
        return bare(data)

    def _table(self, kind: type, data: Mapping[str, object], path: Path) -> object:
        wanted, hints = keys_of(kind), hints_of(kind)
        foreign_objects = sorted(data.keys() - wanted.keys())
        meant = [self._unknown(key, data[key], tuple(wanted), path) for key in foreign_objects]
        given: dict[str, object] = {}
        for key, field in wanted.items():
            hint = hints[field.name]
            if (value := data.get(key)) is not None:
                given[field.name] = self.read(hint, value, path / key)
            elif key in meant:
                given[field.name] = Invalid()
            elif required(field):
                fix = assign(path / key, example_of(hint))
                given[field.name] = self._invalid(MISSING.at(path / key, None, example=fix))
        # An empty mapping or list counts as absent: a route with `headers: {}` must not take every request.
        present = [key for key in wanted if data.get(key) not in (None, {}, [])]
        for choice in choices(kind):
            example = example_of(hints[wanted[choice.keys[0]].name])
            self.issues += [issue] if (issue := choice.issue(present, path, example)) else []
        return kind(**given)

    def _unknown(self, key: str, value: object, known: Sequence[str], path: Path) -> str | None:
        """Report an unknown key, and return the closest known one."""
        near = get_close_matches(key, known, n=1, cutoff=0.6)
        remove = command("rm", path / key)
        fix = f"{remove}; {assign(path / near[0], value)}" if near and value not in (None, {}, []) else remove
        self.issues.append(UNKNOWN_KEY.at(path / key, value, known=", ".join(known), fix=fix))
        return near[0] if near else None

    def _mapping(self, bare: Hint, data: Mapping[str, object], path: Path) -> object:
        key_hint, value_hint = arguments(bare)
        patterns = [extra for extra in unwrap(key_hint)[1] if isinstance(extra, Pattern)] or [VALID_UNICODE]
        read: dict[str, object] = {}
        # Pulumi sorts mappings by key; a direct reader of the YAML sees the file's order.
        for key in sorted(data):
            self.issues += [issue for pattern in patterns if (issue := pattern.key_issue(key, path / key))]
            name = CaseInsensitive(key) if any(pattern.folds for pattern in patterns) else key
            if name in read:
                other = next(each for each in data if CaseInsensitive(each) == name and each != key)
                self.issues.append(DUPLICATE_KEY.at(path / key, data[key], other=other))
            read[name] = self.read(value_hint, data[key], path / key)
        return read

    def _word(self, words: Sequence[str], data: str, path: Path) -> object:
        if data in words:
            return data
        by_lower = {word.lower(): word for word in words}
        nearest = by_lower[get_close_matches(data.lower(), by_lower, n=1, cutoff=0.0)[0]]
        return self._invalid(INVALID_CHOICE.at(path, data, choices=", ".join(words), nearest=nearest))

    def _wrong_type(self, hint: Hint, data: object, path: Path) -> Invalid:
        alternatives = members(hint)
        if isinstance(data, bool | float) and any(shape(a) is Shape.TEXT for a in alternatives):
            read_as = "a boolean" if isinstance(data, bool) else "a number with a fraction"
            return self._invalid(UNQUOTED.at(path, data, read_as=read_as, text=str(data).lower()))
        words = [", ".join(arguments(a)) for a in alternatives if shape(a) is Shape.WORD]
        others = [shape(a).value for a in alternatives if shape(a) is not Shape.WORD]
        meant = _quoted_number(data, others)
        example = assign(path, example_of(hint) if meant is None else meant)
        return self._invalid(
            WRONG_TYPE.at(path, data, expected=" or ".join([*words, *others]), example=example)
        )

    def _invalid(self, issue: Issue) -> Invalid:
        self.issues.append(issue)
        return Invalid()


def _quoted_number(data: object, shapes: Sequence[str]) -> float | None:
    """Return the number that the text holds, if a number is expected."""
    if not isinstance(data, str) or len(data) > LONGEST_NUMBER:
        return None
    if re.fullmatch("[0-9]+", data) and {Shape.WHOLE.value, Shape.NUMBER.value} & {*shapes}:
        return int(data)
    return float(data) if re.fullmatch(r"[0-9]+\.[0-9]+", data) and Shape.NUMBER.value in shapes else None


def _has_shape(wanted: Shape, data: object) -> bool:
    if isinstance(data, float) and data.is_integer():
        return wanted in {Shape.NUMBER, Shape.WHOLE}
    return wanted in _SHAPES.get(type(data), ())


# `pulumi config set --path versions.v2.tag 44` stores a number for a text. A number with a fraction is not
# accepted as text, since 4.10 has already become 4.1.
_SHAPES: Final[Mapping[type, Sequence[Shape]]] = {
    bool: (Shape.TRUTH,),
    str: (Shape.TEXT, Shape.WORD),
    int: (Shape.WHOLE, Shape.NUMBER, Shape.WORD, Shape.TEXT),
    float: (Shape.NUMBER,),
    dict: (Shape.TABLE, Shape.MAPPING),
    list: (Shape.LIST,),
    tuple: (Shape.LIST,),
}
