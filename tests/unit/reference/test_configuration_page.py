"""`docs/configuration.md` and README's short table, held against the model."""

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from components.model.stack import Several, StackFile
from components.schema.issues import Issue
from components.schema.type_hints import keys_of
from components.settings.errors import ConfigError
from components.settings.load import parse
from reference.configuration_page import ROOTS, anchor, page
from reference.keys import keys
from reference.places import places
from tests.program.recorder import ROOT
from tests.unit.stacks import issues

SET = "pulumi config set --path "
STEP = re.compile(r'\[(?P<index>\d+)\]|\["(?P<quoted>[^"]*)"\]|(?P<plain>[^.\[\]]+)')

README_ROWS = re.findall(
    r"^\| `(\w+)` \|.*\| `(.*)` \|$",
    (ROOT / "README.md")
    .read_text(encoding="utf-8")
    .partition("\n## Configuration\n")[2]
    .partition("\n## ")[0],
    re.MULTILINE,
)
COMMANDS = [line for line in page().splitlines() if line.startswith(SET)]


def test_every_key_of_the_model_is_on_the_page() -> None:
    """Whole keys have a section, the keys of their tables a row."""
    whole = [(key, root / key.name) for kind, root in ROOTS for key in keys(kind)]
    lines = page().splitlines()
    assert {f"## `{path}`" for _, path in whole} <= set(lines)
    for kind in places(whole):
        for name in keys_of(kind):
            assert any(line.startswith(f"| `{name}` |") for line in lines), f"{kind.__name__}.{name}"


def test_every_link_leads_to_a_heading() -> None:
    """And no two headings take a link from each other."""
    anchors = [anchor(line.lstrip("# ")) for line in page().splitlines() if line.startswith("#")]
    assert len(set(anchors)) == len(anchors)
    assert set(re.findall(r"\(#([^)]+)\)", page())) <= set(anchors)


def test_rows_have_as_many_cells_as_their_table() -> None:
    """A bar in an expression does not end a cell."""
    rows = [line for line in page().splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {6}


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_sets_a_value_that_the_program_takes(line: str) -> None:
    """What the page says to paste has no fault by itself, whatever else the stack file still lacks."""
    path, text = shlex.split(line.removeprefix(SET))
    (key, value), *_ = as_set(path, text).items()
    with pytest.raises(ConfigError) as caught:
        parse({key: value})
    found = [issue for issue in caught.value.issues if str(issue.path) == path and is_by_itself(issue)]
    assert not found


def test_readme_names_every_whole_key() -> None:
    """The short table has one row for each, and no other."""
    assert {key for key, _ in README_ROWS} == {*keys_of(StackFile), *keys_of(Several)}


@pytest.mark.parametrize(("key", "example"), README_ROWS)
def test_readme_shows_what_the_program_takes(key: str, example: str) -> None:
    """Its examples can be pasted, whether or not these versions and hosts are anybody's."""
    assert not [str(issue) for issue in issues(**{key: yaml.safe_load(example)}) if is_by_itself(issue)]


def is_by_itself(issue: Issue) -> bool:
    """Tell what one value says by itself from what values say together."""
    return issue.code.startswith("MESH0")


def as_set(path: str, text: str) -> dict[str, Any]:
    """Nest a value as `pulumi config set --path` does: whole numbers and truth values are no text."""
    whole = re.fullmatch(r"0|-?[1-9][0-9]*", text)
    value: Any = int(text) if whole else {"true": True, "false": False}.get(text, text)
    key, *steps = steps_of(path)
    for step in reversed(steps):
        value = [value] if isinstance(step, int) else {step: value}
    return {str(key): value}


def steps_of(path: str) -> Iterator[str | int]:
    namespace, _, rest = path.partition(":")
    for nth, step in enumerate(STEP.finditer(rest)):
        if nth == 0:
            yield f"{namespace}:{step[0]}"
        elif step["index"]:
            yield int(step["index"])
        else:
            yield step["quoted"] or step["plain"]
