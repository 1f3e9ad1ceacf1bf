"""Types and constraints as texts of the page."""

import re
from collections.abc import Callable, Iterator

from components.schema.constraints import Always, Constraint, Distinct, NotEmpty, Range
from components.schema.issues import flow
from components.schema.key_groups import Choice
from components.schema.regex import Regex
from components.schema.type_hints import Hint, Shape, arguments, members, shape, unwrap
from reference.keys import Key

_PLAIN = {
    Shape.TEXT: "text",
    Shape.WHOLE: "whole number",
    Shape.NUMBER: "number",
    Shape.TRUTH: "`true` or `false`",
    Shape.WORD: "word",
}


def type_of(hint: Hint, link: Callable[[type], str]) -> str:
    """Return the name of a type, for a table with a link to its keys."""
    return " or ".join(dict.fromkeys(_one(member, link) for member in members(hint)))


def rule_of(hint: Hint) -> str:
    """Return the rule of a value, of its entries and of the names of its keys."""
    return "; ".join(dict.fromkeys(_rules(hint)))


def default_of(key: Key) -> str:
    """Return the value of an absent key."""
    if key.required:
        return "required"
    return "" if key.default in (None, [], {}) else code(flow(key.default))


def choice(of: Choice) -> str:
    """Return the rule of a group of keys."""
    names = [code(key) for key in of.keys]
    many = "Exactly one" if of.at_least == of.at_most else "At least one" if of.at_least else "At most one"
    return f"{many} of {', '.join(names[:-1])} and {names[-1]}."


def code(text: str) -> str:
    """Format text as code."""
    fence = "``" if "`" in text else "`"
    return f"{fence}{text}{fence}"


def cell(text: str) -> str:
    """Escape text for a cell of a table."""
    return re.sub(r"\s*\n\n\s*", "<br>", text).replace("|", "\\|")


def _one(hint: Hint, link: Callable[[type], str]) -> str:
    match shape(hint):
        case Shape.TABLE:
            return link(unwrap(hint)[0])
        case Shape.LIST:
            return f"list: {type_of(arguments(hint)[0], link)}"
        case Shape.MAPPING:
            return f"by name: {type_of(arguments(hint)[1], link)}"
        case plain:
            return _PLAIN[plain]


def _rules(hint: Hint) -> Iterator[str]:
    for extra in unwrap(hint)[1]:
        if isinstance(extra, Constraint):
            yield _rule(extra)
    alternatives = members(hint)
    if alternatives != (hint,):
        if rules := [rule for each in alternatives if (rule := rule_of(each))]:
            yield " or ".join(rules)
        return
    match shape(hint):
        case Shape.WORD:
            yield ", ".join(code(word) for word in arguments(hint))
        case Shape.LIST:
            yield from (f"each: {rule}" for rule in _rules(arguments(hint)[0]))
        case Shape.MAPPING:
            key, value = arguments(hint)
            yield from (f"name: {rule}" for rule in _rules(key))
            yield from (f"each: {rule}" for rule in _rules(value))


def _rule(constraint: Constraint) -> str:
    match constraint:
        case Range(minimum=minimum, maximum=maximum):
            return f"{minimum:g} to {maximum:g}"
        case NotEmpty():
            return "at least one entry"
        case Distinct():
            return "no entry twice"
        case Regex():
            return "an RE2 expression"
        case Always(only=only):
            return f"only {code(flow(only))}"
    return str(getattr(constraint, "rule", ""))
