"""Writes the traffic of a step into the stack file, and leaves the rest unchanged."""

import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import yaml
from yaml.nodes import SequenceNode

from operations.canary.stack_file import yaml_text
from operations.canary.stack_file.yaml_text import UneditableStackFile, flow
from operations.canary.traffic import ROUTE, Traffic
from operations.errors import OperationError
from operations.pulumi_stack.program import learn
from operations.pulumi_stack.project import Project


@dataclass(frozen=True, kw_only=True)
class Place:
    """The place of a service in a stack file."""

    keys: tuple[str, ...]
    """The path of the mapping with its keys."""
    prefix: str
    """The prefix of each of its keys: `mesh-app:` for a single service at the top."""

    @classmethod
    def of(cls, project: str, config: Mapping[str, Any], service: str) -> Self:
        """Find a service in the `config` of a stack file."""
        for name in (f"{project}:services", "services"):
            if service in (config.get(name) or {}):
                return cls(keys=("config", name, service), prefix="")
        # For Pulumi a key without a namespace is the project's.
        return cls(keys=("config",), prefix=f"{project}:" if f"{project}:weights" in config else "")

    def path(self, project: str) -> str:
        """Write the path of the service's keys for `pulumi config set --path`."""
        return f"{project}:services.{self.keys[-1]}." if len(self.keys) > 1 else f"{project}:"


def config_of(text: str) -> dict[str, Any]:
    """Read the `config` of a stack file's text."""
    config: dict[str, Any] = _loaded(text).get("config") or {}
    return config


def keys_of(text: str, place: Place) -> dict[str, Any]:
    """Read the keys of a service, without their prefix."""
    found: Any = _loaded(text)
    for key in place.keys:
        found = found[key]
    return {key.removeprefix(place.prefix): value for key, value in found.items()}


def with_traffic(text: str, place: Place, traffic: Traffic) -> str:
    """Return the text of a stack file with other traffic.

    Raises:
        UneditableStackFile: a value cannot be changed alone.
    """
    wanted = _loaded(text)
    service: Any = wanted
    for key in place.keys:
        service = service[key]
    _declare(service, place.prefix, traffic)
    for version, weight in traffic.weights.items():
        text = _with_weight(text, place, version, weight)
    if traffic.owns_mirror:
        text = _with_mirror(text, place, traffic.mirror)
    text = _with_route(text, place, traffic.route)
    if _without_empty(_loaded(text)) != _without_empty(wanted):
        raise UneditableStackFile("anchors or aliases share a value that must change alone")
    return text


def without_versions(text: str, place: Place, versions: set[str]) -> str:
    """Return the text of a stack file without some versions."""
    for version in versions:
        for key in ("weights", "versions"):
            mapping = yaml_text.mapping_at(text, (*place.keys, place.prefix + key))
            names = [entry[0].value for entry in mapping.value]
            if version in names:
                text = yaml_text.without(text, mapping, names.index(version))
    left = keys_of(text, place)
    if versions & {*left["weights"], *left["versions"]}:
        raise UneditableStackFile("anchors or aliases share a value that must be removed alone")
    return text


def write(file: Path, text: str) -> None:
    """Replace a file's text atomically, with the file's mode."""
    real = file.resolve()
    handle, name = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as new:
            new.write(text)
            new.flush()
            os.fsync(new.fileno())
        Path(name).chmod(real.stat().st_mode & 0o7777)
        Path(name).replace(real)
    finally:
        with suppress(FileNotFoundError):
            Path(name).unlink()


def read(file: Path) -> str:
    """Read a file's text with its line endings unchanged."""
    with file.open(encoding="utf-8", newline="") as opened:
        return opened.read()


def set_traffic(project: Project, stack: str, service: str, traffic: Traffic) -> None:
    """Write traffic into the stack file.

    Raises:
        OperationError: a value of the stack file cannot be changed alone.
    """
    file = project.stack_file(stack)
    text = read(file)
    place = Place.of(project.name, config_of(text), service)
    try:
        changed = with_traffic(text, place, traffic)
    except UneditableStackFile as error:
        raise uneditable(file, error) from error
    if changed != text:
        write(file, changed)


def remove_versions(project: Project, stack: str, service: str, versions: set[str]) -> None:
    """Remove versions from the stack file.

    Raises:
        OperationError: they cannot be removed alone, or the program needs them: a route names one.
    """
    file = project.stack_file(stack)
    text = read(file)
    try:
        changed = without_versions(text, Place.of(project.name, config_of(text), service), versions)
    except UneditableStackFile as error:
        raise uneditable(file, error) from error
    learn(project.with_draft(stack, changed), stack)
    write(file, changed)


def uneditable(file: Path, error: UneditableStackFile) -> OperationError:
    """Describe why the file cannot be edited."""
    return OperationError(
        f"{file.name}: {error}, so a step cannot be written into it",
        fix=f"in {file.name}, write weights, versions and routes of the service without anchors or merges",
    )


def _declare(service: dict[str, Any], prefix: str, traffic: Traffic) -> None:
    weights = service[f"{prefix}weights"]
    for version, weight in traffic.weights.items():
        if weight or version in weights:
            weights[version] = weight
    routes = [each for each in service.get(f"{prefix}routes") or () if each.get("name") != ROUTE]
    if traffic.route:
        routes.insert(0, dict(traffic.route))
    service[f"{prefix}routes"] = routes
    if traffic.mirror:
        service[f"{prefix}mirror"] = dict(traffic.mirror)
    elif traffic.owns_mirror:
        service.pop(f"{prefix}mirror", None)


def _with_weight(text: str, place: Place, version: str, weight: int) -> str:
    mapping = yaml_text.mapping_at(text, (*place.keys, f"{place.prefix}weights"))
    here = yaml_text.find(mapping, version)
    if here is None:
        return yaml_text.added(text, mapping, f"{flow(version)}: {weight}") if weight else text
    return text if yaml_text.plain(here[1]) == weight else yaml_text.replaced(text, here[1], str(weight))


def _with_mirror(text: str, place: Place, mirror: Mapping[str, Any] | None) -> str:
    mapping = yaml_text.mapping_at(text, place.keys)
    here = yaml_text.find(mapping, f"{place.prefix}mirror")
    if here is None:
        return _with_key(text, place, "mirror", flow(dict(mirror))) if mirror else text
    if mirror:
        return yaml_text.replaced(text, here[1], flow(dict(mirror)))
    return yaml_text.without(text, mapping, mapping.value.index(here))


def _with_route(text: str, place: Place, route: Mapping[str, Any] | None) -> str:
    mapping = yaml_text.mapping_at(text, place.keys)
    here = yaml_text.find(mapping, f"{place.prefix}routes")
    if here is None:
        return _with_key(text, place, "routes", f"[{flow(dict(route))}]") if route else text
    if not isinstance(here[1], SequenceNode):
        return yaml_text.replaced(text, here[1], f"[{flow(dict(route))}]") if route else text
    names = [yaml_text.plain(each).get("name") for each in here[1].value]
    if ROUTE not in names:
        return yaml_text.put_first(text, here[1], flow(dict(route))) if route else text
    nth = names.index(ROUTE)
    if route:
        return yaml_text.replaced(text, here[1].value[nth], flow(dict(route)))
    if len(names) == 1:
        return yaml_text.without(text, mapping, mapping.value.index(here))
    return yaml_text.without(text, here[1], nth)


def _with_key(text: str, place: Place, key: str, value: str) -> str:
    """Insert a key of the service before its weights."""
    mapping = yaml_text.mapping_at(text, place.keys)
    weights = yaml_text.find(mapping, f"{place.prefix}weights")
    before = weights[0] if weights else mapping.value[0][0]
    return yaml_text.put_before(text, mapping, before, f"{place.prefix}{key}: {value}")


def _loaded(text: str) -> Any:  # noqa: ANN401 (nested plain data)
    return _named(yaml.safe_load(text) or {})


def _named(value: Any) -> Any:  # noqa: ANN401 (nested plain data)
    """Make every key a text: a version may be named 1."""
    if isinstance(value, dict):
        return {str(key): _named(each) for key, each in value.items()}
    return [_named(each) for each in value] if isinstance(value, list) else value


def _without_empty(value: Any) -> Any:  # noqa: ANN401 (nested plain data)
    """Remove empty values: an empty list of routes equals none."""
    if isinstance(value, dict):
        return {key: _without_empty(each) for key, each in value.items() if each not in (None, [], {})}
    return [_without_empty(each) for each in value] if isinstance(value, list) else value
