"""Holds what a team keeps against what the program renders: nothing is lost in silence. Pure."""

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
    """A field that the team has said and that the program does not say, or says otherwise."""

    where: str
    path: str
    value: object
    becomes: object

    @property
    def is_lost(self) -> bool:
        """Tell whether the program says nothing in its place."""
        return self.becomes is ABSENT


def differences(family: AppObjects, rendered: Sequence[Manifest]) -> list[Difference]:
    """List every field of the app's objects that its rendered objects do not hold."""
    found: list[Difference] = []
    for kept in family.members:
        declared = _counterpart(kept, family, rendered)
        name = spelled(kept)
        for part in ("metadata", "spec"):
            # Labels and annotations are each a thing of their own, even where the program has none.
            written = {"labels": {}, "annotations": {}} | declared.get(part, {})
            for path, value, becomes in _compare(_comparable(kept, part), written, (part,)):
                found.append(Difference(where=name, path=path, value=value, becomes=becomes))
    return [*found, *_answers_to_all(family)]


def additions(family: AppObjects, rendered: Sequence[Manifest]) -> list[Difference]:
    """List every field of the pods that the program declares and the team does not.

    A limit, a user, a read-only file system or a probe that nobody asked for can end a pod that ran well.
    """
    found = []
    for kept in family.deployments.values():
        declared = _counterpart(kept, family, rendered)
        for path, value, _ in _added(kept["spec"], declared["spec"], ("spec",)):
            found.append(Difference(where=spelled(kept), path=path, value=ABSENT, becomes=value))
    return found


def _added(kept: Any, declared: Any, path: Path) -> Iterator[tuple[str, object, object]]:  # noqa: ANN401
    """Compare from the program's side: only what is missing on the team's, not what differs."""
    return (each for each in _compare(declared, kept, path) if each[2] is ABSENT)


def _answers_to_all(family: AppObjects) -> Iterator[Difference]:
    """Say where requests that no route took got 404: the program's weights take whatever is left."""
    for each in family.routes[:1]:
        rules = each["spec"].get("http", ())
        if all(rule.get("match") for rule in rules):
            path = f"spec.http[{len(rules)}]"
            yield Difference(where=spelled(each), path=path, value="nothing: 404", becomes="the weights")


def _counterpart(kept: Manifest, family: AppObjects, rendered: Sequence[Manifest]) -> Mapping[str, Any]:
    """Find what stands for an object: the same one, or whatever says what it said."""
    kind = in_kind(rendered, kept["kind"])
    if kept["kind"] == "DestinationRule":
        # The program has a rule for each version. Istio merges them, so all of them stand for one.
        subsets = [subset for each in kind for subset in each["spec"]["subsets"]]
        return {
            "metadata": kind[0]["metadata"],
            "spec": {"host": kind[0]["spec"]["host"], "subsets": subsets},
        }
    names = {id(each): f"{family.app}-{version}" for version, each in family.deployments.items()}
    name = names.get(id(kept), kept["metadata"]["name"])
    same = [each for each in kind if each["metadata"]["name"] == name]
    return next(iter(same or kind), {})


def _comparable(kept: Manifest, part: str) -> Mapping[str, Any]:
    if part == "metadata":
        annotations = kept["metadata"].get("annotations") or {}
        own = {key: value for key, value in annotations.items() if key not in (LAST_APPLIED, _REVISION)}
        return {"labels": kept["metadata"].get("labels") or {}, "annotations": own}
    spec: Mapping[str, Any] = kept["spec"]
    if kept["kind"] == "DestinationRule" and "trafficPolicy" in spec:
        # What holds for every subset is written into each, where the program has it.
        general = spec["trafficPolicy"]
        subsets = [
            {**each, "trafficPolicy": general | each.get("trafficPolicy", {})} for each in spec["subsets"]
        ]
        return {**{key: value for key, value in spec.items() if key != "trafficPolicy"}, "subsets": subsets}
    return spec


def _compare(kept: Any, declared: Any, path: Path) -> Iterator[tuple[str, object, object]]:  # noqa: ANN401
    """List where two values differ, and how, without what looks like a secret."""
    if kept in ({}, [], None, ""):
        return
    if isinstance(kept, dict) and isinstance(declared, dict):
        for key, value in kept.items():
            yield from _compare(value, declared.get(key, ABSENT), (*path, key))
    elif _are_lists_of_tables(kept, declared):
        for key, value, other in _paired(kept, declared):
            yield from _compare(value, other, (*path, Item(label=str(key), value=value)))
    elif kept != declared:
        shown = [without_secret_values(each, path) for each in (kept, declared)]
        yield _spelled(path), shown[0], shown[1]


def _spelled(path: Path) -> str:
    return "".join(str(step) if isinstance(step, Item) else f".{step}" for step in path).removeprefix(".")


def _are_lists_of_tables(kept: object, declared: object) -> bool:
    return (
        isinstance(kept, list)
        and isinstance(declared, list)
        and all(isinstance(each, dict) for each in [*kept, *declared])
    )


def _paired(kept: list[Any], declared: list[Any]) -> Iterator[Keyed]:
    """Put entries side by side: by what names them, where all have a name, else by their place."""
    one_each = len(kept) == len(declared) == 1
    for nth, value in enumerate(kept):
        key = None if one_each else _name(value)
        if key is None:
            yield nth, value, declared[nth] if nth < len(declared) else ABSENT
        else:
            yield key, value, next((each for each in declared if _name(each) == key), ABSENT)


def _name(entry: Mapping[str, Any]) -> object:
    if "destination" in entry:
        return entry["destination"].get("subset")
    # A VirtualService's routes go by their place, whatever they are called.
    is_route = "route" in entry or "match" in entry
    return None if is_route else entry.get("name", entry.get("mountPath"))
