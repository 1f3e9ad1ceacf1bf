"""Compares existing objects with the rendered ones, so that every lost field is reported. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from operations.adoption.app_objects import AppObjects
from operations.kube.cluster import LAST_APPLIED, in_kind, spelled
from operations.kube.fields import ABSENT, Item, Path
from operations.kube.manifests import Manifest
from operations.kube.redaction import without_secret_values

_REVISION: Final = "deployment.kubernetes.io/revision"

Keyed = tuple[object, Any, Any]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A field of an existing object that the rendered one lacks, or has with another value."""

    where: str
    path: str
    value: object
    becomes: object

    @property
    def is_lost(self) -> bool:
        """Whether the rendered object lacks it."""
        return self.becomes is ABSENT


def differences(family: AppObjects, rendered: Sequence[Manifest]) -> list[Difference]:
    """List the fields of the app's objects that the rendered ones lack or change."""
    found: list[Difference] = []
    for existing in family.members:
        declared = _counterpart(existing, family, rendered)
        name = spelled(existing)
        for part in ("metadata", "spec"):
            # Each label and annotation is a field of its own, even if the program has none.
            written = {"labels": {}, "annotations": {}} | declared.get(part, {})
            for path, value, becomes in _compare(_comparable(existing, part), written, (part,)):
                found.append(Difference(where=name, path=path, value=value, becomes=becomes))
    return [*found, *_answers_to_all(family)]


def additions(family: AppObjects, rendered: Sequence[Manifest]) -> list[Difference]:
    """List the fields that the program adds to the pods.

    A new limit, user, read-only file system or probe can break a pod that worked.
    """
    found = []
    for existing in family.deployments.values():
        declared = _counterpart(existing, family, rendered)
        for path, value, _ in _added(existing["spec"], declared["spec"], ("spec",)):
            found.append(Difference(where=spelled(existing), path=path, value=ABSENT, becomes=value))
    return found


def _added(existing: Any, declared: Any, path: Path) -> Iterator[tuple[str, object, object]]:  # noqa: ANN401
    """List the fields that are declared and do not exist, without those that differ."""
    return (each for each in _compare(declared, existing, path) if each[2] is ABSENT)


def _answers_to_all(family: AppObjects) -> Iterator[Difference]:
    """Report routes without a default: their 404s become requests to the program's weights."""
    for each in family.routes[:1]:
        rules = each["spec"].get("http", ())
        if all(rule.get("match") for rule in rules):
            path = f"spec.http[{len(rules)}]"
            yield Difference(where=spelled(each), path=path, value="nothing: 404", becomes="the weights")


def _counterpart(existing: Manifest, family: AppObjects, rendered: Sequence[Manifest]) -> Mapping[str, Any]:
    """Return the rendered object for an existing one: the same one, or another with its purpose."""
    kind = in_kind(rendered, existing["kind"])
    if existing["kind"] == "DestinationRule":
        # The program has a rule for each version. Istio merges them, so they are compared as one.
        subsets = [subset for each in kind for subset in each["spec"]["subsets"]]
        return {
            "metadata": kind[0]["metadata"],
            "spec": {"host": kind[0]["spec"]["host"], "subsets": subsets},
        }
    names = {id(each): f"{family.app}-{version}" for version, each in family.deployments.items()}
    name = names.get(id(existing), existing["metadata"]["name"])
    same = [each for each in kind if each["metadata"]["name"] == name]
    return next(iter(same or kind), {})


def _comparable(existing: Manifest, part: str) -> Mapping[str, Any]:
    if part == "metadata":
        annotations = existing["metadata"].get("annotations") or {}
        own = {key: value for key, value in annotations.items() if key not in (LAST_APPLIED, _REVISION)}
        return {"labels": existing["metadata"].get("labels") or {}, "annotations": own}
    spec: Mapping[str, Any] = existing["spec"]
    if existing["kind"] == "DestinationRule" and "trafficPolicy" in spec:
        # The program writes the general policy into each subset.
        general = spec["trafficPolicy"]
        subsets = [
            {**each, "trafficPolicy": general | each.get("trafficPolicy", {})} for each in spec["subsets"]
        ]
        return {**{key: value for key, value in spec.items() if key != "trafficPolicy"}, "subsets": subsets}
    return spec


def _compare(existing: Any, declared: Any, path: Path) -> Iterator[tuple[str, object, object]]:  # noqa: ANN401
    """List the paths at which two values differ, with both values; secrets are redacted."""
    if existing in ({}, [], None, ""):
        return
    if isinstance(existing, dict) and isinstance(declared, dict):
        for key, value in existing.items():
            yield from _compare(value, declared.get(key, ABSENT), (*path, key))
    elif _are_lists_of_tables(existing, declared):
        for key, value, other in _paired(existing, declared):
            yield from _compare(value, other, (*path, Item(label=str(key), value=value)))
    elif existing != declared:
        shown = [without_secret_values(each, path) for each in (existing, declared)]
        yield _spelled(path), shown[0], shown[1]


def _spelled(path: Path) -> str:
    return "".join(str(step) if isinstance(step, Item) else f".{step}" for step in path).removeprefix(".")


def _are_lists_of_tables(existing: object, declared: object) -> bool:
    return (
        isinstance(existing, list)
        and isinstance(declared, list)
        and all(isinstance(each, dict) for each in [*existing, *declared])
    )


def _paired(existing: list[Any], declared: list[Any]) -> Iterator[Keyed]:
    """Pair the entries of two lists: by name if all have one, otherwise by position."""
    one_each = len(existing) == len(declared) == 1
    for nth, value in enumerate(existing):
        key = None if one_each else _name(value)
        if key is None:
            yield nth, value, declared[nth] if nth < len(declared) else ABSENT
        else:
            yield key, value, next((each for each in declared if _name(each) == key), ABSENT)


def _name(entry: Mapping[str, Any]) -> object:
    if "destination" in entry:
        return entry["destination"].get("subset")
    # A VirtualService's routes are compared by position.
    is_route = "route" in entry or "match" in entry
    return None if is_route else entry.get("name", entry.get("mountPath"))
