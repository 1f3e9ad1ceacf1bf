"""Use the names of live objects that Pulumi does not rename. Pure.

Pulumi ignores changes of such a name (`ignore_changes`). The program declares the new name, which other
objects may refer to.
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
    """Return the declared objects, and references to them, with the names of the live objects.

    Args:
        resources: those that the program declares.
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
        # A whole value, or the first part of a host name.
        for end in ('"', "."):
            text = text.replace(f'"{declared}{end}', f'"{actual}{end}')
    renamed: Mapping[str, Any] = json.loads(text)
    return renamed
