"""Type hints → JSON Schema, which accepts everything that the decoder accepts.

Draft 7, which every YAML language server supports. Some constraints cannot be expressed, such as valid RE2
expressions or durations in multiples of a millisecond: the program checks these.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from components.schema.constraints import Constraint
from components.schema.issues import Path
from components.schema.key_groups import Choice, choices
from components.schema.type_hints import Hint, Shape, arguments, members, shape, unwrap
from reference import docstrings
from reference.json_constraints import keywords
from reference.keys import Key, keys

Schema = dict[str, Any]

NULL: Final[Mapping[str, Any]] = {"type": "null"}
"""A key without a value, which counts as absent."""

EMPTY: Final[Mapping[str, Any]] = {"type": ["null", "object", "array"], "maxProperties": 0, "maxItems": 0}
"""A value that counts as absent for groups of keys."""

_PLAIN: Final[Mapping[Shape, str]] = {
    Shape.TEXT: "string",
    Shape.WHOLE: "integer",
    Shape.NUMBER: "number",
    Shape.TRUTH: "boolean",
}
_UNQUOTED: Final = (-1, 0, 1, 7, 42, 100, 404, 503, 8080, 65535)
"""Numbers to test whether a text field accepts them: YAML reads such text as numbers, which are decoded."""


@dataclass(frozen=True)
class Schemas:
    """Schemas of type hints. Each dataclass has a definition, since dataclasses can contain each other."""

    definitions: dict[str, Schema] = field(default_factory=lambda: {"none": dict(EMPTY)})
    _kinds: dict[str, type] = field(default_factory=dict)

    def of(self, hint: Hint) -> Schema:
        """Return the schema of a type hint."""
        outer = unwrap(hint)[1]
        alternatives = members(hint)
        if alternatives == (hint,):
            return self._of_one(hint, outer)
        options = [self._of_one(each, (*outer, *unwrap(each)[1])) for each in alternatives]
        return options[0] if len(options) == 1 else {"anyOf": options}

    def table(self, kind: type, *, prefix: str = "", absent: Mapping[str, Any] = NULL) -> Schema:
        """Return the schema of a dataclass. `absent` is the value that counts as an absent key."""
        its_keys = keys(kind)
        schema: Schema = {
            **described(docstrings.of_class(kind)),
            "type": "object",
            "additionalProperties": False,
            "properties": {prefix + key.name: self._of_key(key, absent) for key in its_keys},
            "required": [prefix + key.name for key in its_keys if key.required],
            "allOf": [part for choice in choices(kind) for part in _of_choice(choice, prefix)],
        }
        return {keyword: value for keyword, value in schema.items() if value != []}

    def _of_key(self, key: Key, absent: Mapping[str, Any]) -> Schema:
        own = self.of(key.hint)
        schema = described(key.description)
        if key.default not in (None, [], {}):
            schema["default"] = key.default
        if key.example != {}:
            schema["examples"] = [key.example]
        if not key.required:
            own = _or(own, absent)
        # Draft 7 ignores all keywords beside `$ref`.
        return schema | ({"allOf": [own]} if "$ref" in own else own)

    def _of_one(self, hint: Hint, extras: Sequence[object]) -> Schema:
        constraints = [extra for extra in extras if isinstance(extra, Constraint)]
        schema = self._shaped(hint, constraints)
        for constraint in constraints:
            schema |= keywords(constraint, shape(hint))
        return schema

    def _shaped(self, hint: Hint, constraints: Sequence[Constraint]) -> Schema:
        match shape(hint):
            case Shape.TABLE:
                return self._defined(unwrap(hint)[0])
            case Shape.MAPPING:
                return self._mapping(*arguments(hint))
            case Shape.LIST:
                return {"type": "array", "items": self.of(arguments(hint)[0])}
            case Shape.WORD:
                words = arguments(hint)
                return {"enum": [*words, *(int(word) for word in words if word.isdecimal())]}
            case Shape.TEXT:
                return _text(constraints)
            case plain:
                return {"type": _PLAIN[plain]}

    def _defined(self, kind: type) -> Schema:
        name = kind.__name__
        if self._kinds.setdefault(name, kind) is not kind:
            message = f"there are two dataclasses named {name}"
            raise TypeError(message)
        if name not in self.definitions:
            # The entry must exist first, for a dataclass that contains itself.
            self.definitions[name] = {}
            self.definitions[name] |= self.table(kind)
        return {"$ref": f"#/definitions/{name}"}

    def _mapping(self, key: Hint, value: Hint) -> Schema:
        schema: Schema = {"type": "object", "additionalProperties": self.of(value)}
        forms = [extra for extra in unwrap(key)[1] if isinstance(extra, Constraint)]
        names = {k: v for form in forms for k, v in keywords(form, Shape.TEXT).items()}
        return schema | ({"propertyNames": names} if names else {})


def described(text: str) -> Schema:
    """Return a description, also as Markdown for editors that support it."""
    marked = {"markdownDescription": text} if "`" in text else {}
    return {"description": text, **marked} if text else {}


def _text(constraints: Sequence[Constraint]) -> Schema:
    takes = [n for n in _UNQUOTED if not any(each.issue(n, Path()) for each in constraints)]
    if not takes:
        return {"type": "string"}
    return {"type": ["string", "integer"]} | ({} if takes[0] < 0 else {"minimum": 0})


def _or(schema: Schema, absent: Mapping[str, Any]) -> Schema:
    """Accept an absent value too."""
    own = schema.get("type")
    if absent is not NULL or own is None or "const" in schema:
        return {"anyOf": [*schema.get("anyOf", [schema]), dict(absent)]}
    return schema | {"type": [*([own] if isinstance(own, str) else own), "null"]}


def _of_choice(choice: Choice, prefix: str) -> list[Schema]:
    """Return the schemas of a group of keys, so that editors mark the excess key."""
    names = [prefix + key for key in choice.keys]
    given = {
        name: {"required": [name], "properties": {name: {"not": {"$ref": "#/definitions/none"}}}}
        for name in names
    }
    parts: list[Schema] = [{"anyOf": list(given.values())}] if choice.at_least else []
    if choice.at_most == 1:
        description = f"{' and '.join(choice.keys)} exclude each other"
        for nth, name in enumerate(names[:-1]):
            others = {other: {**EMPTY, "errorMessage": description} for other in names[nth + 1 :]}
            parts.append({"if": given[name], "then": {"properties": others}})
    return parts
