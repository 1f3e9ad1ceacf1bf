"""The names that objects have, where an object keeps the one under which it was made. Pure.

Pulumi ignores a change of such a name (`ignore_changes`). The program declares the present one, which others
of its objects may name too.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from operations.pulumi_stack.recorder import Resource

NAME: Final = "metadata.name"


def under_applied_names(
    resources: Sequence[Resource], applied: Mapping[str, Mapping[str, Any]]
) -> tuple[Resource, ...]:
    """Declare objects, and what names them, under the names that they have.

    Args:
        resources: what the program declares.
        applied: the inputs of the state, by URN.
    """
    names = {
        each.inputs["metadata"]["name"]: applied[each.urn]["metadata"]["name"]
        for each in resources
        if NAME in each.ignored and each.urn in applied
    }
    return tuple(replace(each, inputs=_renamed(each.inputs, names)) for each in resources)


def _renamed(inputs: Mapping[str, Any], names: Mapping[str, str]) -> Mapping[str, Any]:
    text = json.dumps(inputs)
    for declared, actual in names.items():
        # As the whole of a value, or as the first part of a host name.
        for end in ('"', "."):
            text = text.replace(f'"{declared}{end}', f'"{actual}{end}')
    renamed: Mapping[str, Any] = json.loads(text)
    return renamed
