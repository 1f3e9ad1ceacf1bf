"""Reads the grids: objects in YAML, and the fields that break a rule."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from mesh_rules.catalogue import RULES
from mesh_rules.objects import UNKNOWN, Object
from mesh_rules.rule import Rule, shown

BY_NAME: Mapping[str, Rule] = {rule.name: rule for rule in RULES}


class _Loader(yaml.SafeLoader):
    """YAML with values that are not known yet."""


_Loader.add_constructor("!unknown", lambda _loader, _node: UNKNOWN)


@dataclass(frozen=True, kw_only=True)
class Case:
    """A rule, and objects to check."""

    rule: Rule
    description: str
    stack: str
    manifests: list[dict[str, Any]]
    breaks: list[str]

    def __str__(self) -> str:
        """Name the test of this case."""
        return f"{self.rule.name}: {self.description}"


def cases() -> list[Case]:
    """Read all grids."""
    files = sorted((Path(__file__).parent / "grid").glob("*.yaml"))
    return [
        Case(
            rule=BY_NAME[name],
            description=each["case"],
            stack=each.get("stack", "dev"),
            manifests=each["objects"],
            breaks=each["breaks"],
        )
        for file in files
        for name, rows in yaml.load(file.read_text(), _Loader).items()  # noqa: S506 - a SafeLoader
        for each in rows
    ]


def declared(manifests: list[dict[str, Any]], stack: str) -> Iterator[Object]:
    """Convert manifests to the objects of a stack."""
    for manifest in manifests:
        api, kind = manifest["apiVersion"], manifest["kind"]
        token = f"kubernetes:{api if '/' in api else f'core/{api}'}:{kind}"
        found = Object.read(token, "resource", f"urn:pulumi:{stack}::shop::{token}::resource", manifest)
        assert found
        yield found


def broken(rule: Rule, manifests: list[dict[str, Any]], stack: str, **settings: Any) -> list[str]:  # noqa: ANN401
    """Apply a rule as Pulumi does: to each object by itself, or to the whole stack."""
    objects = list(declared(manifests, stack))
    groups = [objects] if rule.scope == "stack" else [[each] for each in objects]
    return [
        f"{each.by} {each.path}: {shown(each.value)}"
        for group in groups
        for each in rule.broken_in(group, settings)
    ]
