"""A live object held against its declaration, whole. Pure."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Final

from kubernetes.utils import parse_quantity

from operations.drift.findings import Problem
from operations.kube.defaults import spec_defaults
from operations.kube.fields import ABSENT, Item, Path, without
from operations.kube.manifests import Manifest

METADATA: Final = ("labels", "annotations", "finalizers", "ownerReferences")
"""What of an object's metadata anybody can set. The rest is its name, or the API server's."""

BOOKKEEPING: Final = {
    ("metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration"),
    ("metadata", "annotations", "deployment.kubernetes.io/revision"),
    ("spec", "template", "metadata", "annotations", "kubectl.kubernetes.io/restartedAt"),
    ("spec", "template", "metadata", "creationTimestamp"),
}
"""What kubectl and controllers note on objects that are in order: a restart is no drift."""

SERVERS: Final[Mapping[str, set[Path]]] = {
    "Namespace": {("metadata", "labels", "kubernetes.io/metadata.name")},
    "Service": {
        ("spec", "clusterIP"),
        ("spec", "clusterIPs"),
        ("spec", "ipFamilies"),
        ("spec", "healthCheckNodePort"),
    },
    # An autoscaler owns the number of pods of a Deployment that does not say it.
    "Deployment": {("spec", "replicas"), ("spec", "template", "spec", "serviceAccount")},
}
"""What the API server or a controller writes where nothing was declared."""

NAMES: Final = (("name",), ("mountPath",), ("containerPort",), ("port", "protocol"))
"""What names an item of a list, if all of its items have it: the first that does."""

QUANTITIES: Final = ("requests", "limits", "sizeLimit")


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One field that is not as declared."""

    problem: Problem
    path: Path
    declared: object = ABSENT
    live: object = ABSENT
    default: object = ABSENT
    """What the API server would write there, where that is known."""


def differences(declared: Manifest, live: Manifest) -> list[Difference]:
    """List every field in which a live object is not exactly what was declared, but for defaults."""
    return [each for each in everything(declared, live) if not is_bookkeeping(each, declared["kind"])]


def everything(declared: Manifest, live: Manifest) -> list[Difference]:
    """List also what controllers and the API server note on an object."""
    default = {"spec": spec_defaults(declared), "metadata": {"labels": {}, "annotations": {}}}
    return list(_compare(_comparable(declared), _comparable(live), default, ()))


def is_bookkeeping(difference: Difference, kind: str) -> bool:
    """Tell what is noted on objects that are in order."""
    if _is_headless(difference) or _is_off(difference):
        return False
    is_servers = difference.declared is ABSENT and difference.path in SERVERS.get(kind, set())
    return is_servers or difference.path in BOOKKEEPING


def _is_headless(difference: Difference) -> bool:
    """A Service without an address is none that the API server gave the default to."""
    return difference.path == ("spec", "clusterIP") and difference.live == "None"


def _is_off(difference: Difference) -> bool:
    """An autoscaler leaves a Deployment without pods as it is, so it is none that made it so."""
    return difference.path == ("spec", "replicas") and difference.live == 0


def _comparable(manifest: Manifest) -> Manifest:
    body = {key: value for key, value in manifest.items() if key not in ("apiVersion", "kind", "status")}
    metadata = manifest["metadata"]
    body["metadata"] = {key: metadata[key] for key in METADATA if metadata.get(key)}
    for part in ("labels", "annotations"):
        body["metadata"].setdefault(part, {})
    return body


def _compare(declared: Any, live: Any, default: Any, path: Path) -> Iterator[Difference]:  # noqa: ANN401
    if isinstance(declared, Mapping) and isinstance(live, Mapping):
        for key in (*declared, *(key for key in live if key not in declared)):
            usual = default.get(key, ABSENT) if isinstance(default, Mapping) else ABSENT
            yield from _compare(declared.get(key, ABSENT), live.get(key, ABSENT), usual, (*path, key))
    elif isinstance(declared, list) and isinstance(live, list):
        usual = default[0] if isinstance(default, list) and default else ABSENT
        yield from _compare_lists(declared, live, usual, path)
    elif not _same(declared, live, default, path):
        problem = Problem.CHANGED
        if declared is ABSENT:
            problem = Problem.ADDED
        elif live is ABSENT:
            problem = Problem.REMOVED
        yield Difference(problem=problem, path=path, declared=declared, live=live, default=default)


def _same(declared: Any, live: Any, default: Any, path: Path) -> bool:  # noqa: ANN401
    if ABSENT in (declared, live):
        said = live if declared is ABSENT else declared
        return said is None or without(said, default) is ABSENT
    if any(key in QUANTITIES for key in path[-2:]):
        # The API server writes "1024Mi" as "1Gi".
        return bool(_amount(declared) == _amount(live))
    return bool(declared == live and isinstance(declared, bool) is isinstance(live, bool))


def _amount(quantity: Any) -> Any:  # noqa: ANN401 (the library is untyped)
    try:
        return parse_quantity(quantity)  # type: ignore[no-untyped-call]
    except ValueError:
        return quantity  # a field of that name which holds no amount


def _compare_lists(declared: list[Any], live: list[Any], default: Any, path: Path) -> Iterator[Difference]:  # noqa: ANN401
    name = _name_of(declared, live)
    if name is None:
        yield from _compare_places(declared, live, default, path)
        return
    wanted, found = ({_label(each, name): each for each in items} for items in (declared, live))
    for label in (*wanted, *(label for label in found if label not in wanted)):
        step = Item(label=label, value=found.get(label, wanted.get(label)))
        # That there is an item is always said, even where all that it holds are defaults.
        usual = default if label in wanted and label in found else ABSENT
        yield from _compare(wanted.get(label, ABSENT), found.get(label, ABSENT), usual, (*path, step))
    orders = [[label for label in one if label in other] for one, other in ((wanted, found), (found, wanted))]
    if orders[0] != orders[1]:
        yield Difference(problem=Problem.REORDERED, path=path, declared=orders[0], live=orders[1])


def _compare_places(declared: list[Any], live: list[Any], default: Any, path: Path) -> Iterator[Difference]:  # noqa: ANN401
    """Find what was put in and what was taken out, so that one new route is not told as many changes."""
    wanted, found = ([_text(each, default) for each in items] for items in (declared, live))
    for tag, a, b, c, d in SequenceMatcher(None, wanted, found, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        both = min(b - a, d - c)
        for nth in range(both):
            step = Item(label=c + nth, value=live[c + nth])
            yield from _compare(declared[a + nth], live[c + nth], default, (*path, step))
        for nth in range(a + both, b):
            step = Item(label=nth, value=declared[nth])
            yield from _compare(declared[nth], ABSENT, ABSENT, (*path, step))
        for nth in range(c + both, d):
            yield from _compare(ABSENT, live[nth], ABSENT, (*path, Item(label=nth, value=live[nth])))


def _text(item: Any, default: Any) -> str:  # noqa: ANN401
    return json.dumps({"": without(item, default)}, sort_keys=True, default=repr)


def _name_of(declared: list[Any], live: list[Any]) -> Sequence[str] | None:
    items = [*declared, *live]
    if not all(isinstance(each, Mapping) for each in items):
        return None
    for name in NAMES:
        unique = all(len({_label(each, name) for each in one}) == len(one) for one in (declared, live))
        if unique and all(key in each for each in items for key in name):
            return name
    return None


def _label(item: Mapping[str, Any], name: Sequence[str]) -> str:
    return "/".join(str(item.get(key)) for key in name)
