"""Draws whole configurations from the model's own type hints: good ones, with a bad value here and there."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

from components.model.stack import Cluster, ServicesFile, StackFile
from components.schema.constraints import Range
from components.schema.issues import PROJECT
from components.schema.key_groups import choices
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
from tests.unit.stacks import WALKTHROUGH, several, with_changes

Draw = Callable[[st.SearchStrategy[Any]], Any]

JUNK = st.sampled_from(
    [
        None,
        True,
        False,
        -1,
        0,
        1,
        42,
        408,
        70000,
        0.5,
        4.1,
        "",
        "x",
        "42",
        "Ä b",
        "*",
        [],
        ["x"],
        {},
        {"x": 1},
    ]
)

TEXTS = st.sampled_from(
    [
        "",
        "a",
        "A",
        "v1",
        "v2",
        "-a",
        "a.b",
        "*.a.b",
        "/",
        "/x?y",
        "a/b",
        "10s",
        "0s",
        "100%",
        "1.5",
        "(",
        "a" * 300,
    ]
)
"""Texts that one form takes and another does not."""

ENTRIES = st.sampled_from([1] * 12 + [0, 2])


FORMS: Sequence[tuple[type, Mapping[str, Any]]] = (
    (StackFile, WALKTHROUGH),
    (ServicesFile, with_changes(**several())),
)
"""The two forms of a stack file, each with a good one to stand around what is drawn."""


@st.composite
def configs(draw: Draw) -> dict[str, Any]:
    """Draw a configuration in whole keys, as `settings.parse` takes it."""
    form, base = draw(st.sampled_from(FORMS))
    drawn = {
        f"{prefix}:{name}": value
        for prefix, kind in ((PROJECT, form), ("kubernetes", Cluster))
        for name, value in _table(draw, kind).items()
    }
    return drawn if seldom(draw) else {**base, **drawn}


def _value(draw: Draw, hint: Hint) -> Any:  # noqa: ANN401 - plain data of any shape
    if seldom(draw):
        return draw(JUNK)
    member = draw(st.sampled_from(members(hint)))
    match shape(member):
        case Shape.TABLE:
            return _table(draw, unwrap(member)[0])
        case Shape.LIST:
            return [_value(draw, arguments(member)[0]) for _ in range(draw(ENTRIES))]
        case Shape.MAPPING:
            key, value = arguments(member)
            return {_text(draw, key): _value(draw, value) for _ in range(draw(ENTRIES))}
        case _:
            return _scalar(draw, member)


def _scalar(draw: Draw, hint: Hint) -> object:
    match shape(hint):
        case Shape.WORD:
            return draw(st.sampled_from(arguments(hint)))
        case Shape.TRUTH:
            return draw(st.booleans())
        case Shape.TEXT:
            return _text(draw, hint)
    bounds = next((extra for extra in unwrap(hint)[1] if isinstance(extra, Range)), Range(0, 100))
    return draw(st.integers(int(bounds.minimum), int(bounds.maximum)))


def _table(draw: Draw, kind: type) -> dict[str, Any]:
    wanted = {key for key, field in keys_of(kind).items() if required(field) != seldom(draw)}
    wanted |= draw(st.sets(st.sampled_from(sorted(keys_of(kind))), max_size=3))
    for choice in choices(kind):
        here = sorted(wanted.intersection(choice.keys))
        if not seldom(draw):
            wanted -= set(here[choice.at_most :])
            wanted |= set(choice.keys[: choice.at_least - len(here)])
    drawn = {key: _value(draw, hints_of(kind)[keys_of(kind)[key].name]) for key in sorted(wanted)}
    if seldom(draw):
        drawn["noSuchKey"] = 1
    return drawn


def _text(draw: Draw, hint: Hint) -> str:
    return draw(TEXTS) if seldom(draw) else str(example_of(hint))


def seldom(draw: Draw) -> bool:
    """Decide for a mistake. One in a hundred leaves most configurations with one or none."""
    return bool(draw(st.integers(0, 99)) == 99)
