"""Constraints → keywords of JSON Schema. An unknown constraint is an error."""

from math import isinf
from typing import Any, Final

from components.schema.constraints import Always, Constraint, Distinct, NotEmpty, Pattern, Range
from components.schema.durations import Duration
from components.schema.regex import LONGEST_REGEX, Regex
from components.schema.type_hints import Shape

_GO_DURATION: Final = r"(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:h|ms|m|s|us|µs|ns))+"


def keywords(constraint: Constraint, on: Shape) -> dict[str, Any]:
    """Return the keywords that express a constraint, as far as JSON Schema can."""
    match constraint:
        case Range(minimum=minimum, maximum=maximum):
            ends = {"minimum": minimum, "maximum": maximum}
            return {keyword: end for keyword, end in ends.items() if not isinf(end)}
        case Pattern() | Duration():
            return _text(constraint)
        case Regex():
            return {"minLength": 1, "maxLength": LONGEST_REGEX}
        case Always(only=only):
            return {"const": only}
        case NotEmpty():
            return {{Shape.LIST: "minItems", Shape.TEXT: "minLength"}.get(on, "minProperties"): 1}
        case Distinct():
            return {"uniqueItems": True}
    message = f"reference/json_constraints.py does not know {type(constraint).__name__}"
    raise TypeError(message)


def _text(constraint: Pattern | Duration) -> dict[str, Any]:
    pattern = constraint.pattern if isinstance(constraint, Pattern) else _GO_DURATION
    # Editors show `patternErrorMessage` instead of the expression; other validators ignore it.
    schema = {"pattern": f"^(?:{pattern})$", "patternErrorMessage": f"this must be {constraint.rule}"}
    longest = constraint.longest if isinstance(constraint, Pattern) else None
    return schema if longest is None else {**schema, "maxLength": longest}
