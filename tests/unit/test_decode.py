"""The decoder by itself, on dataclasses of its own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest

from components.schema.constraints import Distinct, Pattern, Range
from components.schema.decode import decode
from components.schema.invalid import InvalidValueError
from components.schema.issues import Path

Short = Annotated[str, Pattern(pattern="[a-z]+", description="small letters", example="abc", longest=3)]


@dataclass(frozen=True, kw_only=True)
class Leaf:
    """A table with a bounded number and a word."""

    size: Annotated[int, Range(1, 9)]
    kind_of: Literal["oak", "elm"] = "oak"


@dataclass(frozen=True, kw_only=True)
class Tree:
    """A table with every other shape."""

    leaves: Annotated[tuple[Leaf, ...], Distinct()] = ()
    by_name: Mapping[Short, Leaf | Literal["none"]] | None = None
    height: float | None = None
    tall: bool = False
    name: str | None = None


def read(data: Mapping[str, Any]) -> tuple[Tree, list[tuple[str, str]]]:
    tree, issues = decode(Tree, data, Path())
    return tree, [(issue.code, str(issue.path)) for issue in issues]


def test_keys_are_spelled_in_camel_case() -> None:
    """`kind_of` in Python is `kindOf` in the stack file."""
    tree, issues = read({"leaves": [{"size": 1, "kindOf": "elm"}], "height": 2})
    assert not issues
    assert tree == Tree(leaves=(Leaf(size=1, kind_of="elm"),), height=2.0)


def test_an_alternative_is_chosen_by_the_shape_of_the_data() -> None:
    """A word or a mapping may stand in one place."""
    tree, issues = read({"byName": {"a": "none", "b": {"size": 2}}})
    assert not issues
    assert tree.by_name == {"a": "none", "b": Leaf(size=2)}


def test_null_counts_as_absent() -> None:
    """A key without a value says nothing."""
    assert read({"leaves": None, "tall": None}) == (Tree(), [])


@pytest.mark.parametrize(
    ("data", "issue"),
    [
        ({"leaves": [{"size": 0}]}, ("MESH004", "mesh-app:leaves[0].size")),
        ({"leaves": [{}]}, ("MESH002", "mesh-app:leaves[0].size")),
        ({"leaves": [{"size": 1}, {"size": 1}]}, ("MESH013", "mesh-app:leaves[1]")),
        ({"leaves": [{"size": 1, "kindOf": "ash"}]}, ("MESH005", "mesh-app:leaves[0].kindOf")),
        ({"leaves": {"size": 1}}, ("MESH003", "mesh-app:leaves")),
        ({"byName": {"long": "none"}}, ("MESH007", "mesh-app:byName.long")),
        ({"byName": {"a.b": "none"}}, ("MESH007", 'mesh-app:byName["a.b"]')),
        ({"byName": {"a": []}}, ("MESH003", "mesh-app:byName.a")),
        ({"height": "2"}, ("MESH003", "mesh-app:height")),
        ({"height": True}, ("MESH003", "mesh-app:height")),
        ({"tall": "yes"}, ("MESH003", "mesh-app:tall")),
        ({"tall": 1}, ("MESH003", "mesh-app:tall")),
        ({"talk": True}, ("MESH001", "mesh-app:talk")),
    ],
)
def test_each_fault_names_its_place(data: Mapping[str, Any], issue: tuple[str, str]) -> None:
    """Indexes in brackets, odd keys in quotes, as `pulumi config set --path` reads them."""
    assert read(data)[1] == [issue]


@pytest.mark.parametrize(
    ("data", "fix"),
    [
        ({"height": "0.5"}, "pulumi config set --path 'mesh-app:height' --type float 0.5"),
        ({"height": "02"}, "pulumi config set --path 'mesh-app:height' 2"),
        ({"height": "1" * 400}, "pulumi config set --path 'mesh-app:height' 1"),
        ({"leaves": [{"size": "0"}]}, "pulumi config set --path 'mesh-app:leaves[0].size' 0"),
        ({"leaves": [{"size": "0.5"}]}, "pulumi config set --path 'mesh-app:leaves[0].size' 1"),
    ],
)
def test_a_number_in_quotes_is_mended_by_the_command_that_makes_it_one(
    data: Mapping[str, Any], fix: str
) -> None:
    """Pulumi keeps a number with a fraction as text, unless it is told the type."""
    _, (issue,) = decode(Tree, data, Path())
    assert issue.fix == fix


@pytest.mark.parametrize("data", [{"byName": {"\ud800": "none"}}, {"name": "a\udfff"}, {"\ud800": 1}])
def test_half_a_character_is_a_fault_that_can_be_printed(data: Mapping[str, Any]) -> None:
    """YAML can write what UTF-8 cannot: in a value, in a name, in a key that nobody knows."""
    _, (issue,) = decode(Tree, data, Path())
    assert str(issue).encode()


def test_a_rule_that_touches_a_broken_value_is_stopped() -> None:
    """What could not be read is neither 0 nor None: it raises, whatever is asked of it."""
    tree, issues = read({"leaves": [{"size": "x"}, {"size": 2}]})
    assert len(issues) == 1
    assert tree.leaves[1].size == 2
    broken = tree.leaves[0].size
    questions: list[Callable[[], object]] = [lambda: broken > 0, lambda: sum([broken]), lambda: bool(broken)]
    for question in questions:
        with pytest.raises(InvalidValueError):
            question()
