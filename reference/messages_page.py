"""`docs/messages.md`: every message of the table, why it is there, and how its cause is mended."""

import ast
import inspect
import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from pkgutil import walk_packages
from string import Formatter
from types import ModuleType
from typing import Final

import components
from components.schema import messages
from components.schema.issues import Message, Path
from reference import docstrings

_HEAD: Final = """\
# Messages

<!-- Made by `make docs` from components/schema/messages.py. Change it there. -->

What the program can say of a stack file: all faults at once, before anything is changed. Only what the
cluster itself has to answer (201 to 204) comes later. Each message shows a code, the place in the stack file,
the value there, the rule that it breaks, and what mends it. Words in capitals stand for what the message
fills in. [Configuration](configuration.md) lists the keys."""


_OF_EACH: Final = "the command, or the lines of the stack file, that mend this place"


def page() -> str:
    """Write the page."""
    lines, groups, why = [_HEAD], dict(_groups()), reasons()
    for code, message in sorted(messages.TABLE.items()):
        digit = code.removeprefix("MESH")[0]
        if group := groups.pop(digit, None):
            lines += ["", f"## {digit}xx: {group}"]
        lines += ["", f"### {code}"]
        lines += ["", why[code]] if code in why else []
        lines += ["", "```text", shown(message), "```"]
    return "\n".join([*lines, ""])


def shown(message: Message) -> str:
    """Lay a message out as the terminal has it, with its words in capitals."""
    texts = message.rule + message.fix
    words = {word: word.upper() for _, word, _, _ in Formatter().parse(texts) if word}
    for fixed in ("path", "key", "set", "rm"):
        words.pop(fixed, None)
    if message.fix in ("{fix}", "{example}"):
        words[message.fix.strip("{}")] = _OF_EACH
    return str(message.at(Path() / "PATH", "VALUE", **words))


def reasons() -> Mapping[str, str]:
    """Collect why each message is there: what stands under its constant, or in the rule that raises it."""
    by_constant: dict[str, str] = {}
    for module in _rules():
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            if isinstance(node, ast.FunctionDef) and (description := ast.get_docstring(node)):
                for name in (each.id for each in ast.walk(node) if isinstance(each, ast.Name)):
                    by_constant.setdefault(name, description)
    by_constant |= docstrings.of_constants(messages)
    constants = {name: value for name, value in vars(messages).items() if isinstance(value, Message)}
    return {
        constants[name].code: description for name, description in by_constant.items() if name in constants
    }


def _groups() -> Iterator[tuple[str, str]]:
    """Read the headings that stand in the table as comments."""
    yield from re.findall(r"^# (\d)xx: (.+)\.$", inspect.getsource(messages), re.MULTILINE)


def _rules() -> Iterator[ModuleType]:
    for each in walk_packages(components.__path__, "components."):
        if each.name.startswith("components.rules"):
            yield import_module(each.name)
