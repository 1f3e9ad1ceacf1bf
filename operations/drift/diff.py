"""Compare a live object with its declaration, field by field. Pure."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Final

from kubernetes.utils import parse_quantity

from operations.drift.findings import Problem
from operations.drift.ignored_fields import IgnoredFields
from operations.kube.defaults import spec_defaults
from operations.kube.fields import ABSENT, Item, Path, without
from operations.kube.manifests import Manifest

METADATA: Final = ("labels", "annotations", "finalizers", "ownerReferences")
"""The compared parts of metadata; the rest identifies the object or is written by the API server."""

NAMES: Final = (("name",), ("mountPath",), ("containerPort",), ("port", "protocol"))
"""The keys that may identify the items of a list: the first that all items have."""

QUANTITIES: Final = ("requests", "limits", "sizeLimit")


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A field that differs from its declaration."""

    problem: Problem
    path: Path
    declared: object = ABSENT
    live: object = ABSENT
    default: object = ABSENT
    """The default of the API server, if it is known."""


def differences(declared: Manifest, live: Manifest, ignored: IgnoredFields | None = None) -> list[Difference]:
    """Return each field in which a live object differs from its declaration, except defaults.

    Args:
        declared: the object as the stack declares it.
        live: the object as the API server has it.
        ignored: undeclared fields to leave out; None: those that every cluster writes.
    """
    ignored = ignored or IgnoredFields()
    return [
        each for each in all_differences(declared, live) if not is_ignored(each, declared["kind"], ignored)
    ]


def all_differences(declared: Manifest, live: Manifest) -> list[Difference]:
    """Return the same, with ignored fields."""
    default = {"spec": spec_defaults(declared), "metadata": {"labels": {}, "annotations": {}}}
    return list(_compare(_comparable(declared), _comparable(live), default, ()))


def is_ignored(difference: Difference, kind: str, ignored: IgnoredFields) -> bool:
    """Return whether another program may write a field that the stack does not declare."""
    path, live = difference.path, difference.live
    if difference.declared is not ABSENT:
        return False
    # The API server assigns an address, but never none; an autoscaler does not scale from or to 0.
    if (path, live) in ((("spec", "clusterIP"), "None"), (("spec", "replicas"), 0)):
        return False
    return ignored.match(kind, path, live)


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
        value = live if declared is ABSENT else declared
        return value is None or without(value, default) is ABSENT
    if any(key in QUANTITIES for key in path[-2:]):
        # The API server writes "1024Mi" as "1Gi".
        return bool(_amount(declared) == _amount(live))
    return bool(declared == live and isinstance(declared, bool) is isinstance(live, bool))


def _amount(quantity: Any) -> Any:  # noqa: ANN401 (the library is untyped)
    try:
        return parse_quantity(quantity)  # type: ignore[no-untyped-call]
    except ValueError:
        return quantity  # a field with such a name that is no quantity


def _compare_lists(declared: list[Any], live: list[Any], default: Any, path: Path) -> Iterator[Difference]:  # noqa: ANN401
    name = _name_of(declared, live)
    if name is None:
        yield from _compare_places(declared, live, default, path)
        return
    wanted, found = ({_label(each, name): each for each in items} for items in (declared, live))
    for label in (*wanted, *(label for label in found if label not in wanted)):
        step = Item(label=label, value=found.get(label, wanted.get(label)))
        # An added or removed item is reported even if all its fields have default values.
        usual = default if label in wanted and label in found else ABSENT
        yield from _compare(wanted.get(label, ABSENT), found.get(label, ABSENT), usual, (*path, step))
    orders = [[label for label in one if label in other] for one, other in ((wanted, found), (found, wanted))]
    if orders[0] != orders[1]:
        yield Difference(problem=Problem.REORDERED, path=path, declared=orders[0], live=orders[1])


def _compare_places(declared: list[Any], live: list[Any], default: Any, path: Path) -> Iterator[Difference]:  # noqa: ANN401
    """Match equal items first, so that one inserted route is not reported as a change of all that follow."""
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
