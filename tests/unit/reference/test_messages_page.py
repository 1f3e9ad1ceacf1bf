"""`docs/messages.md`, held against the table."""

import re

import pytest

from components.schema.issues import Message
from components.schema.messages import TABLE
from reference.messages_page import page, reasons, shown


def test_every_message_has_its_place_in_order() -> None:
    """A code is found where its number says."""
    assert re.findall(r"^### (\w+)$", page(), re.MULTILINE) == sorted(TABLE)


@pytest.mark.parametrize("message", TABLE.values(), ids=TABLE)
def test_a_message_is_shown_as_the_terminal_shows_it(message: Message) -> None:
    """Whoever searches for a line of it finds it."""
    code, value, rule, fix = shown(message).splitlines()
    assert code.startswith(message.code)
    assert value.split() == ["value", "VALUE"]
    assert rule.startswith("  rule   ")
    assert fix.startswith("  fix    ")
    assert not re.search(r"\{\w+\}", rule + fix)


@pytest.mark.parametrize("message", TABLE.values(), ids=TABLE)
def test_a_message_has_a_reason(message: Message) -> None:
    """It stands under the message in its table, or is the docstring of the rule that raises it."""
    assert message.code in reasons()
