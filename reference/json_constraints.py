"""Constraints → keywords of JSON Schema. A constraint that is new here stops the generator."""

from math import isinf
from typing import Any

from components.constraints import Constraint, Distinct, Form, NotEmpty, Range
from components.hints import Shape


def keywords(constraint: Constraint, on: Shape) -> dict[str, Any]:
    """Say the same, or as much of it as JSON Schema can."""
    match constraint:
        case Range(minimum=minimum, maximum=maximum):
            ends = {"minimum": minimum, "maximum": maximum}
            return {keyword: end for keyword, end in ends.items() if not isinf(end)}
        case Form():
            return _text(constraint)
        case NotEmpty():
            return {{Shape.LIST: "minItems", Shape.TEXT: "minLength"}.get(on, "minProperties"): 1}
        case Distinct():
            return {"uniqueItems": True}
    message = f"reference/json_constraints.py does not know {type(constraint).__name__}"
    raise TypeError(message)


def _text(form: Form) -> dict[str, Any]:
    # Editors show `patternErrorMessage` in place of the expression; others pass over it.
    said = {"pattern": f"^(?:{form.pattern})$", "patternErrorMessage": f"this must be {form.rule}"}
    return said if form.longest is None else {**said, "maxLength": form.longest}
