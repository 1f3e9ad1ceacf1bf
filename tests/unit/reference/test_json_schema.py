"""What becomes of each type and constraint in the JSON Schema."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import pytest
from jsonschema import Draft7Validator

from components.schema.constraints import Constraint, Distinct, NotEmpty, Pattern, Range
from components.schema.durations import Duration
from components.schema.key_groups import at_least_one, at_most_one, exactly_one
from components.schema.type_hints import Shape
from reference.json_constraints import keywords
from reference.json_schema import Schemas

Short = Annotated[str, Pattern(pattern="[a-z]+", description="small letters", example="abc", longest=3)]


@exactly_one("size", "sizes")
@at_most_one("sizes", "oneMore", "kindOf")
@dataclass(frozen=True, kw_only=True)
class Leaf:
    """A table that can contain itself."""

    size: Annotated[int, Range(1, 9)] | None = None
    """How large."""

    sizes: Annotated[tuple[int, ...], NotEmpty([1]), Distinct()] = (1,)
    kind_of: Literal["oak", "404"] = "oak"
    one_more: "Leaf | None" = None


@at_least_one("leaf", "wait")
@dataclass(frozen=True, kw_only=True)
class Tree:
    """A table with every other shape."""

    label: Annotated[str, Pattern(pattern="[a-z0-9]+", description="letters and digits", example="a1")]
    leaf: Leaf | Literal["none"] | None = None
    by_name: Mapping[Short, Leaf] = field(default_factory=dict)
    wait: Annotated[str, Duration()] | None = None
    height: float | None = None
    tall: bool = False


def fits(tree: Mapping[str, Any]) -> bool:
    schemas = Schemas()
    schema = schemas.of(Tree)
    return Draft7Validator({**schema, "definitions": schemas.definitions}).is_valid(tree)


@pytest.mark.parametrize(
    "more",
    [
        {"leaf": "none"},
        {"leaf": {"size": 9}},
        {"leaf": {"sizes": [1, 2]}},
        {"leaf": {"sizes": None, "size": 1}},
        {"leaf": {"size": 1, "kindOf": 404, "sizes": None}},
        {"leaf": {"size": 1, "oneMore": {"size": 2}}},
        {"leaf": "none", "byName": {"abc": {"size": 1}}},
        {"wait": "1h30m", "leaf": None},
        {"wait": "1.5s", "label": 42},
        {"wait": "2s", "height": 2, "tall": None},
    ],
)
def test_what_the_decoder_takes_fits(more: Mapping[str, Any]) -> None:
    """Absent or null, a word or a table, a number where text may look like one."""
    assert fits({"label": "a1", **more})


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"leaf": None},
        {"leaf": "some"},
        {"leaf": {}},
        {"leaf": {"size": 0}},
        {"leaf": {"sizes": []}},
        {"leaf": {"sizes": [1, 1]}},
        {"leaf": {"size": 1, "sizes": [1]}},
        {"leaf": {"sizes": [1], "kindOf": "oak"}},
        {"leaf": {"size": 1, "kindOf": "oak", "oneMore": {"size": 1}}},
        {"leaf": {"size": 1, "oneMore": {"size": 0}}},
        {"leaf": {"size": "1"}},
        {"leaf": {"size": 1, "colour": "red"}},
        {"leaf": "none", "byName": {"long": {"size": 1}}},
        {"leaf": "none", "byName": {"a1": {"size": 1}}},
        {"leaf": "none", "label": None},
        {"leaf": "none", "label": "A"},
        {"leaf": "none", "label": -1},
        {"leaf": "none", "tall": "yes"},
        {"leaf": "none", "height": True},
        {"wait": "2"},
        {"wait": 2},
    ],
)
def test_what_the_decoder_refuses_does_not_fit(more: Mapping[str, Any]) -> None:
    """Every constraint has its keyword."""
    assert not fits({"label": "a1", **more})


def test_words_come_from_docstrings() -> None:
    """What an editor shows is what the source says."""
    schemas = Schemas()
    schemas.of(Tree)
    leaf = schemas.definitions["Leaf"]
    assert leaf["description"] == "A table that can contain itself."
    assert leaf["properties"]["size"]["description"] == "How large."
    assert leaf["properties"]["kindOf"]["default"] == "oak"


def test_two_dataclasses_of_one_name_are_told_apart() -> None:
    """A definition is found by its name: a second one of it would be the first."""
    other: type = dataclass(type("Leaf", (), {"__doc__": "Another."}))
    schemas = Schemas()
    schemas.of(Leaf)
    with pytest.raises(TypeError, match="two dataclasses named Leaf"):
        schemas.of(other)


def test_a_constraint_without_a_keyword_stops_the_generator() -> None:
    """A new constraint is not left out of the schema by accident."""

    class Even(Constraint):
        """Nobody knows it yet."""

    with pytest.raises(TypeError, match="does not know Even"):
        keywords(Even(), Shape.WHOLE)
