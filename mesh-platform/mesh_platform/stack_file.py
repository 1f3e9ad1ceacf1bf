"""The only reader of the stack's configuration: the settings of each part, or all errors in one message."""

import difflib
import json
import re
from collections.abc import Mapping
from dataclasses import fields
from numbers import Real
from typing import Protocol, TypeVar, get_origin, get_type_hints

import pulumi
from pulumi.runtime import config as pulumi_config

PROJECT = "mesh-platform"


class Part(Protocol):
    """The settings of a part: a dataclass with a default for every field."""

    def issues(self) -> list[str]:
        """Return contradictions in these settings, with their fixes."""


P = TypeVar("P", bound=Part)


class StackFile:
    """Reads one part after another; `check` reports the errors."""

    def __init__(self, config: Mapping[str, str] | None = None) -> None:
        """Take the configuration as Pulumi passes it, by default that of the stack."""
        if config is None:
            config = {**pulumi_config.get_config_env(), **pulumi_config.CONFIG.get()}
        prefix = f"{PROJECT}:"
        self._left = {key.removeprefix(prefix): v for key, v in config.items() if key.startswith(prefix)}
        self._parts: list[str] = []
        self._issues: list[str] = []

    def part(self, name: str, form: type[P]) -> P | None:
        """Read the settings of a part; None if the stack file does not name it, or if they have errors."""
        self._parts.append(name)
        value = _plain(self._left.pop(name, "{}"))
        if not value:
            return None  # Pulumi.yaml has an empty default for every part
        if not isinstance(value, dict):
            self._issues.append(f"{name}: {value!r} is no mapping of settings")
            return None
        hints = get_type_hints(form)
        names = {_camel(field.name): field.name for field in fields(form)}  # type: ignore[arg-type]  # each Part is a dataclass
        found = [
            f"{name}.{key}: {_unknown(key, names)}"
            if key not in names
            else f"{name}.{key}: {setting!r} is no {_word(hints[names[key]])}"
            for key, setting in value.items()
            if key not in names or not isinstance(setting, _runtime(hints[names[key]]))
        ]
        if not found:
            read = form(**{names[key]: setting for key, setting in value.items()})
            found = [f"{name}: {issue}" for issue in read.issues()]
            if not found:
                return read
        self._issues += found
        return None

    def check(self) -> None:
        """Raise all errors, with unknown keys among them."""
        issues = [*self._issues, *(f"{key}: {_unknown(key, self._parts)}" for key in sorted(self._left))]
        if issues:
            many = "1 error" if len(issues) == 1 else f"{len(issues)} errors"
            lines = [f"the stack's configuration has {many}; nothing was changed", *issues]
            fix = f"→ fix {PROJECT}:… in the stack file; Pulumi.yaml describes the settings of each part"
            raise pulumi.RunError("\n".join([*lines, fix]))


def _plain(text: str) -> object:
    """Decode a value that Pulumi passes as JSON."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _camel(name: str) -> str:
    """Return the name of a field in the stack file."""
    return re.sub(r"_(\w)", lambda found: found[1].upper(), name)


def _runtime(hint: object) -> type:
    """Return the class for `isinstance` of a type hint: `Mapping` for `Mapping[str, int]`."""
    if hint is float:
        return Real  # a whole number is an int in YAML
    return get_origin(hint) or hint  # type: ignore[return-value]  # hints of parts are classes


def _word(hint: object) -> str:
    return {str: "text", int: "whole number", Real: "number", bool: "true or false"}.get(
        _runtime(hint), "mapping"
    )


def _unknown(key: str, known: Mapping[str, str] | list[str]) -> str:
    near = difflib.get_close_matches(key, known, n=1)
    return f"no such key, did you mean {near[0]}?" if near else f"no such key; known are {', '.join(known)}"
