"""The editor and the program are of one mind."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from jsonschema import Draft7Validator

from components.settings.errors import ConfigError
from components.settings.load import parse
from reference.stack_schema import stack_file
from tests.unit.reference.drawn import configs
from tests.unit.stacks import SHOP, WALKTHROUGH, several, with_changes
from tests.unit.test_messages import PROVOKED

SCHEMA = Draft7Validator(stack_file())

LEFT_TO_THE_PROGRAM = {
    "MESH006": "a number in the place of text, and a duration that is no multiple of its unit, pass",
    "MESH008": "42.0 is a whole number for JSON Schema",
    "MESH009": "JSON Schema has no keyword for expressions of RE2",
    "MESH013": "entries that only differ in a default written out are the same to the program",
}
"""What the schema cannot always say, by the message that the program has for it."""


def shape_faults(config: Mapping[str, Any]) -> set[str]:
    """Collect the codes of what one value says by itself. What values say together is the program's own."""
    try:
        parse(config)
    except ConfigError as error:
        return {issue.code for issue in error.issues if issue.code.startswith("MESH0")}
    return set()


def fits(config: Mapping[str, Any]) -> bool:
    return SCHEMA.is_valid({"config": dict(config)})


def test_the_walkthrough_fits() -> None:
    """The stack file that every other one starts from."""
    assert fits(WALKTHROUGH)


def test_several_services_fit_and_the_keys_of_one_beside_them_do_not() -> None:
    """The two forms of a stack file exclude each other in an editor, too."""
    assert fits(with_changes(**several()))
    assert not fits(with_changes(**{**several(), "weights": {"v1": 100}}))
    assert not fits(with_changes(services={"shop": SHOP}))
    assert not fits(with_changes(**several(shop={**SHOP, "app": {**SHOP["app"], "name": "shop"}})))


@pytest.mark.parametrize("code", sorted({code for code, *_ in PROVOKED if code.startswith("MESH0")}))
def test_a_fault_of_one_value_is_underlined(code: str) -> None:
    """Whoever has an editor meets most messages there."""
    underlined = [not fits(with_changes(**changes)) for each, changes, *_ in PROVOKED if each == code]
    assert all(underlined) or (any(underlined) and code in LEFT_TO_THE_PROGRAM)


# The same draws every time: a check that fails by chance stops work that has nothing to do with it.
@settings(max_examples=100, deadline=None, derandomize=True)
@given(configs())
def test_what_the_program_takes_is_never_underlined_and_what_is_not_underlined_it_takes(
    config: Mapping[str, Any],
) -> None:
    """For any configuration of the model, good or bad: a fault here is a red line there."""
    issues = shape_faults(config)
    if not issues:
        errors = [f"{error.json_path}: {error.message}" for error in SCHEMA.iter_errors({"config": config})]
        assert not errors
    elif issues - LEFT_TO_THE_PROGRAM.keys():
        assert not fits(config), issues
