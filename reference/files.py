"""The generated files."""

import json
from collections.abc import Mapping
from typing import Final

from reference import configuration_page, messages_page, stack_schema

SCHEMA: Final = "Pulumi.schema.json"
CONFIGURATION: Final = "docs/configuration.md"
MESSAGES: Final = "docs/messages.md"

MODELINE: Final = f"# yaml-language-server: $schema={SCHEMA}"
"""The first line of a stack file, in which editors find the schema."""


def contents() -> Mapping[str, str]:
    """Return the contents of all files by their path in the repository."""
    return {
        SCHEMA: json.dumps(stack_schema.stack_file(), indent=2, ensure_ascii=False) + "\n",
        CONFIGURATION: configuration_page.page(),
        MESSAGES: messages_page.page(),
    }
