"""Changes single values in the text of a YAML file, and leaves every other character unchanged. Pure.

A library that rewrites the whole file changes indentation, quotes, line breaks and comments. Here PyYAML only
locates the values.
"""

from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, SequenceNode

Entry = tuple[Node, Node]
"""A key of a mapping, and its value."""


class UneditableStackFile(ValueError):
    """A value cannot be changed alone."""


def mapping_at(text: str, keys: tuple[str, ...]) -> MappingNode:
    """Find the mapping at a path from the top of the file.

    Raises:
        UneditableStackFile: there is none, or it is behind an alias or a merge.
    """
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    for key in keys:
        entry = find(node, key)
        if entry is None:
            raise UneditableStackFile(f"{key} is not there, or comes from a merge")
        if entry[1].start_mark.index < entry[0].end_mark.index:
            raise UneditableStackFile(f"the value of {key} is an alias")
        node = entry[1]
    if not isinstance(node, MappingNode):
        raise UneditableStackFile(f"{keys[-1]} is no mapping")
    return node


def find(mapping: Node | None, key: str) -> Entry | None:
    """Find a key."""
    entries = mapping.value if isinstance(mapping, MappingNode) else ()
    return next((entry for entry in entries if entry[0].value == key), None)


def flow(value: object) -> str:
    """Write a value on one line."""
    text = yaml.safe_dump(
        value, default_flow_style=True, width=1_000_000, sort_keys=False, allow_unicode=True
    )
    return text.removesuffix("\n").removesuffix("\n...").strip()


def plain(node: Node) -> Any:  # noqa: ANN401 (nested plain data)
    """Return the value of a node."""
    return yaml.safe_load(yaml.serialize(node))


def replaced(text: str, node: Node, by: str) -> str:
    """Replace a value."""
    # After a bare `key:` a value needs a space.
    gap = " " if node.start_mark.index == _end(node) and text[node.start_mark.index - 1] == ":" else ""
    return text[: node.start_mark.index] + gap + by + text[_end(node) :]


def added(text: str, mapping: MappingNode, entry: str) -> str:
    """Append an entry, `key: value`, to a mapping."""
    if not mapping.value:
        return replaced(text, mapping, f"{{{entry}}}")
    key, value = mapping.value[-1]
    if mapping.flow_style:
        return _inserted(text, _end(value), f", {entry}")
    line_end = text.find("\n", _end(value))
    newline = _newline(text)
    if line_end < 0:
        return f"{text}{newline}{' ' * key.start_mark.column}{entry}{newline}"
    return _inserted(text, line_end + 1, f"{' ' * key.start_mark.column}{entry}{newline}")


def put_before(text: str, parent: MappingNode | SequenceNode, node: Node, entry: str) -> str:
    """Insert an entry of a mapping, or of a list in flow style, before the one that begins with a node."""
    gap = ", " if parent.flow_style else f"{_newline(text)}{' ' * node.start_mark.column}"
    return _inserted(text, node.start_mark.index, f"{entry}{gap}")


def put_first(text: str, items: SequenceNode, entry: str) -> str:
    """Insert an entry at the head of a list."""
    if not items.value:
        return replaced(text, items, f"[{entry}]")
    if items.flow_style:
        return put_before(text, items, items.value[0], entry)
    dash = _dash(text, items.value[0])
    column = dash - (text.rfind("\n", 0, dash) + 1)
    return _inserted(text, dash, f"- {entry}{_newline(text)}{' ' * column}")


def without(text: str, parent: MappingNode | SequenceNode, nth: int) -> str:
    """Remove an entry of a mapping or list that has others."""
    starts = [(each[0] if isinstance(each, tuple) else each) for each in parent.value]
    ends = [_end(each[1] if isinstance(each, tuple) else each) for each in parent.value]
    if parent.flow_style:
        if nth + 1 < len(starts):
            return text[: starts[nth].start_mark.index] + text[starts[nth + 1].start_mark.index :]
        return text[: ends[nth - 1]] + text[ends[nth] :]
    start = starts[nth].start_mark.index
    start = start if isinstance(parent, MappingNode) else _dash(text, starts[nth])
    line = text.rfind("\n", 0, start) + 1
    if text[line:start].strip():
        # It begins on the line of its dash.
        return text[:start] + text[starts[nth + 1].start_mark.index :]
    line_end = text.find("\n", max(start, ends[nth] - 1))
    return text[:line] + (text[line_end + 1 :] if line_end >= 0 else "")


def _end(node: Node) -> int:
    """Find the end of a value; of a block, the end of its last value without comments."""
    if not isinstance(node, MappingNode | SequenceNode) or node.flow_style or not node.value:
        return int(node.end_mark.index)
    last = node.value[-1]
    return _end(last[1] if isinstance(last, tuple) else last)


def _dash(text: str, item: Node) -> int:
    return text.rfind("-", 0, item.start_mark.index)


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _inserted(text: str, at: int, what: str) -> str:
    return text[:at] + what + text[at:]
