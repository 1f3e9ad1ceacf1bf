"""The files that are made from the model, as they are committed."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from reference.files import MODELINE, SCHEMA, contents
from tests.program.recorder import ROOT

STACK_FILES = sorted(ROOT.glob("Pulumi.*.yaml"))


@pytest.mark.parametrize("name", contents())
def test_what_is_committed_is_what_the_model_says_today(name: str) -> None:
    """Nobody edits a made file, and nobody forgets to make it again."""
    committed = ROOT / name
    assert committed.is_file(), f"{name} is missing: run `make docs`"
    assert committed.read_text(encoding="utf-8") == contents()[name], f"{name} is old: run `make docs`"


def test_the_schema_is_a_schema() -> None:
    """An editor that meets a schema it cannot read says nothing at all."""
    Draft7Validator.check_schema(schema())


def test_every_example_and_default_fits() -> None:
    """What an editor offers is taken."""
    whole = schema()
    tables = [whole["properties"]["config"], *whole["definitions"].values()]
    offered = [
        (name, key, value)
        for table in tables
        for name, key in table.get("properties", {}).items()
        for value in [*key.get("examples", []), *([key["default"]] if "default" in key else [])]
    ]
    refused = [
        (name, value)
        for name, key, value in offered
        if not Draft7Validator({**key, "definitions": whole["definitions"]}).is_valid(value)
    ]
    assert offered
    assert not refused


@pytest.mark.parametrize("path", STACK_FILES, ids=lambda path: path.name)
def test_every_stack_file_fits_the_schema(path: Path) -> None:
    """No red line in any file of ours."""
    # Keys that YAML reads as numbers are text for Pulumi, and for JSON.
    content = json.loads(json.dumps(yaml.safe_load(path.read_text(encoding="utf-8"))))
    issues = [
        f"{error.json_path}: {error.message}" for error in Draft7Validator(schema()).iter_errors(content)
    ]
    assert not issues


@pytest.mark.parametrize("path", STACK_FILES, ids=lambda path: path.name)
def test_every_stack_file_leads_its_editor_to_the_schema(path: Path) -> None:
    """Editors look for the comment in the first line."""
    assert path.read_text(encoding="utf-8").splitlines()[0] == MODELINE


def schema() -> dict[str, Any]:
    content: dict[str, Any] = json.loads((ROOT / SCHEMA).read_text(encoding="utf-8"))
    return content
