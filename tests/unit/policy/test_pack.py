"""The rules as Pulumi's policies, and in the document."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pulumi_policy import ResourceValidationPolicy, StackValidationPolicy
from pulumi_policy.proxy import UNKNOWN_NUMBER_VALUE, unknown_checking_proxy

from mesh_rules.catalogue import RULES
from mesh_rules.objects import UNKNOWN
from mesh_rules.pack import plain, policy, settings_of
from mesh_rules.rule import Rule
from mesh_rules.table import markdown
from tests.unit.policy.grid import BY_NAME

CHECKOUT = Path(__file__).resolve().parents[3]
DOCUMENT = (CHECKOUT / "docs/policy.md").read_text()


def test_every_rule_has_a_name_of_its_own() -> None:
    """A second rule with the same name would be configured with the first."""
    assert len(BY_NAME) == len(RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_becomes_a_policy(rule: Rule) -> None:
    """With its name, description, level and settings."""
    made = policy(rule)
    assert isinstance(made, StackValidationPolicy if rule.scope == "stack" else ResourceValidationPolicy)
    assert (made.name, made.description) == (rule.name, rule.description)
    assert made.enforcement_level
    assert made.enforcement_level.value == rule.level
    assert made.config_schema
    assert set(made.config_schema.properties) == {"exempt"} | ({"production"} if rule.production else set())


def test_what_pulumi_does_not_know_becomes_unknown() -> None:
    """Pulumi's proxies raise on access to such a value, and the rest would not be checked."""
    properties: Any = unknown_checking_proxy(
        {"spec": {"weights": [90.0, UNKNOWN_NUMBER_VALUE], "host": "cart", "on": True, "half": 0.5}}
    )
    assert plain(properties) == {
        "spec": {"weights": [90, UNKNOWN], "host": "cart", "on": True, "half": 0.5},
    }


def test_the_rules_do_not_import_pulumi() -> None:
    """They can be applied to plain YAML; only `pack.py` needs Pulumi."""
    blocked = "import sys; sys.modules.update(pulumi=None, pulumi_policy=None); import mesh_rules.catalogue"
    subprocess.run([sys.executable, "-c", blocked], cwd=CHECKOUT / "policy", check=True)


def test_the_document_has_the_table_of_the_rules() -> None:
    """It is printed by the command above it."""
    assert markdown() in DOCUMENT


def test_the_documents_example_config_is_valid() -> None:
    """Its rules exist, and have these levels and settings."""
    (example,) = re.findall(r"```json rules\n(.*?)```", DOCUMENT, re.DOTALL)
    for name, settings in json.loads(example).items():
        given = {"enforcementLevel": settings} if isinstance(settings, str) else settings
        assert set(given) - {"enforcementLevel"} <= set(settings_of(BY_NAME[name]))
        assert given.get("enforcementLevel", "advisory") in {"mandatory", "advisory", "disabled"}
