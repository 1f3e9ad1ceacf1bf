"""`docs/configuration.md`: every key of a stack file, where it stands and what may stand there."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from components.model.stack import Cluster, Several, StackFile
from components.schema.issues import Path
from components.schema.key_groups import choices
from reference import docstrings, phrases
from reference.keys import Key, keys
from reference.places import assignments, places

ROOTS: Final = ((StackFile, Path()), (Several, Path()), (Cluster, Path("kubernetes")))
"""The dataclasses of a stack file, and under which prefix their keys stand."""

_HEAD: Final = """\
# Configuration

<!-- Made by `make docs` from components/model. Change it there. -->

Every key that a stack file (`Pulumi.STACK.yaml`) may have under `config:`. Any other key is a fault, and the
message names the nearest known one. [Messages](messages.md) says what else can be wrong.

A *table* is a mapping with keys of its own, and the link leads to them. *By name* is a mapping whose keys you
choose yourself. In the paths below, a name such as `v2` and an index such as `[0]` stand for any other.
Editors with a YAML language server know all of this by the first line of the stack file.
"""


def page() -> str:
    """Write the page."""
    whole = [(key, root / key.name) for kind, root in ROOTS for key in keys(kind)]
    of_tables = places(whole)
    contents = [f"- [`{path}`](#{anchor(path)})" for _, path in whole]
    sections = [line for key, path in whole for line in _section(key, path, of_tables)]
    return "\n".join([_HEAD, *contents, *sections, ""])


def anchor(heading: object) -> str:
    """Make the anchor that a Markdown renderer gives a heading."""
    return re.sub(r"[^\w\- ]", "", str(heading).lower()).replace(" ", "-")


def _section(key: Key, path: Path, of_tables: Mapping[type, Path]) -> Iterator[str]:
    """Write of one whole key, and of every table that has its first place below it."""
    yield from ("", f"## `{path}`", "", key.description, "")
    facts = _facts(key, path, of_tables)
    yield from (f"- {name}: {fact}" for name, fact in facts.items() if fact)
    yield from _commands([(key, path)])
    for kind, place in of_tables.items():
        if place.namespace == path.namespace and place.parts[0] == path.parts[0]:
            if place != path:
                yield from ("", f"### `{place}`", "", docstrings.of_class(kind))
            yield from _table(kind, place, of_tables)


def _table(kind: type, place: Path, of_tables: Mapping[type, Path]) -> Iterator[str]:
    for choice in choices(kind):
        yield from ("", phrases.choice(choice))
    yield from ("", "| key | what it says | type | default | rule |", "|---|---|---|---|---|")
    for key in keys(kind):
        cells = [f"`{key.name}`", key.description, *_facts(key, place / key.name, of_tables).values()]
        yield f"| {' | '.join(phrases.cell(text) for text in cells)} |"
    yield from _commands([(key, place / key.name) for key in keys(kind)])


def _facts(key: Key, path: Path, of_tables: Mapping[type, Path]) -> Mapping[str, str]:
    def link(kind: type) -> str:
        place = of_tables[kind]
        # The table of a whole key stands in the key's own section.
        return "table" if place == path and len(path.parts) == 1 else f"[table](#{anchor(place)})"

    return {
        "type": phrases.type_of(key.hint, link),
        "default": phrases.default_of(key),
        "rule": phrases.rule_of(key.hint),
    }


def _commands(of: list[tuple[Key, Path]]) -> Iterator[str]:
    lines = [line for key, path in of for line in assignments(key.hint, key.example, path)]
    if lines:
        yield from ("", "```sh", *lines, "```")
