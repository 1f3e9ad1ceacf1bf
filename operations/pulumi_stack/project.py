"""A Pulumi project in a folder: its name, its stack files and the defaults of `Pulumi.yaml`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self, TypeVar

import yaml

from components.schema.decode import decode
from components.schema.issues import Path as KeyPath
from operations.errors import OperationError

T = TypeVar("T")

PROJECT_FILE = "Pulumi.yaml"
HIDDEN = "[secret]"
"""Pulumi's placeholder for a secret."""


@dataclass(frozen=True, kw_only=True)
class StackConfig:
    """The config of one stack as Pulumi passes it to the program: every value is text, objects are JSON."""

    values: Mapping[str, str]
    secret: tuple[str, ...]
    """Keys whose values are secret, whole or in part. They are unknown here: only Pulumi decrypts them."""


@dataclass(frozen=True, kw_only=True)
class Project:
    """A folder with a `Pulumi.yaml`."""

    folder: Path
    settings: Mapping[str, Any]
    drafts: Mapping[str, str] = field(default_factory=dict)
    """Texts by stack that replace stack files, to find out what they declare."""

    @classmethod
    def at(cls, start: Path) -> Self:
        """Find the project of a folder as Pulumi does: in it or above it.

        Raises:
            OperationError: there is no project.
        """
        for folder in (start.resolve(), *start.resolve().parents):
            if (folder / PROJECT_FILE).is_file():
                return cls(folder=folder, settings=_read(folder / PROJECT_FILE))
        raise OperationError(
            f"no {PROJECT_FILE} in {start} nor above it",
            fix="run the command in the project's folder, or add --cwd FOLDER",
        )

    @property
    def name(self) -> str:
        """The project's name, which is the namespace of its config keys."""
        return str(self.settings["name"])

    @property
    def program(self) -> Path:
        """The program's folder, which may be below the project's."""
        return self.folder / str(self.settings.get("main", "."))

    def with_draft(self, stack: str, text: str) -> Self:
        """Return the project with another text for a stack file, which does not change."""
        return replace(self, drafts={**self.drafts, stack: text})

    def stack_file(self, stack: str) -> Path:
        """Return the path of a stack's config."""
        return self.folder / f"Pulumi.{stack}.yaml"

    def config(self, stack: str) -> StackConfig:
        """Read a stack's config, with the project's defaults for keys that the stack file lacks.

        Raises:
            OperationError: there is no such stack file, or it is not YAML.
        """
        file = self.stack_file(stack)
        if stack not in self.drafts and not file.is_file():
            known = sorted(path.name for path in self.folder.glob("Pulumi.*.yaml"))
            raise OperationError(
                f"no {file.name} in {self.folder}; there is: {', '.join(known) or 'no stack file'}",
                fix="name another stack with --stack, or create this one: pulumi stack init",
            )
        document = _parsed(file, self.drafts[stack]) if stack in self.drafts else _read(file)
        given = {**self._defaults(), **self._full_names(document.get("config") or {})}
        secret = tuple(key for key, value in given.items() if _has_secret(value))
        return StackConfig(values={key: _text(value) for key, value in given.items()}, secret=secret)

    def setting(self, stack: str, key: str, kind: type[T]) -> T:
        """Decode a table of a validated stack config; its defaults if it is absent."""
        text = self.config(stack).values.get(f"{self.name}:{key}") or "{}"
        return decode(kind, json.loads(text), KeyPath() / key)[0]

    def _defaults(self) -> dict[str, Any]:
        declared = self._full_names(self.settings.get("config") or {})
        return {
            key: schema["default"]
            for key, schema in declared.items()
            if isinstance(schema, dict) and "default" in schema
        }

    def _full_names(self, keys: Mapping[str, Any]) -> dict[str, Any]:
        return {key if ":" in key else f"{self.name}:{key}": value for key, value in keys.items()}


def _read(file: Path) -> Mapping[str, Any]:
    return _parsed(file, file.read_text(encoding="utf-8"))


def _parsed(file: Path, text: str) -> Mapping[str, Any]:
    try:
        document = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise OperationError(f"{file} is not YAML", fix=f"edit {file.name}", evidence=str(error)) from error
    if not isinstance(document, dict):
        raise OperationError(f"{file} is not a mapping", fix=f"edit {file.name}", evidence=str(document))
    return document


def _has_secret(value: object) -> bool:
    if isinstance(value, dict):
        return set(value) == {"secure"} or any(_has_secret(each) for each in value.values())
    return isinstance(value, list) and any(_has_secret(each) for each in value)


def _text(value: object) -> str:
    plain = _plain(value)
    # Pulumi sorts the keys of objects, and reads dates as text.
    return plain if isinstance(plain, str) else json.dumps(plain, sort_keys=True, default=str)


def _plain(value: object) -> object:
    """Make every key text, as in JSON, and hide encrypted values."""
    if isinstance(value, dict):
        named = {str(key): _plain(each) for key, each in value.items()}
        return HIDDEN if set(named) == {"secure"} else named
    return [_plain(each) for each in value] if isinstance(value, list) else value
