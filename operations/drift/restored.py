"""Build the object that a repair writes: the declared fields and the retained ones. Pure."""

from copy import deepcopy
from itertools import pairwise
from typing import Any

from operations.drift.field_ownership import APPLY, Owner, leaves
from operations.drift.ignored_fields import IgnoredFields
from operations.drift.object_drift import split_differences
from operations.drift.state import StoredState
from operations.kube.fields import Item, Path
from operations.kube.manifests import Manifest


def restored(
    wanted: Manifest, live: Manifest, stored: StoredState, ignored: IgnoredFields, manager: str
) -> Manifest:
    """Return the declared object with the fields of a live object that a repair retains."""
    body = deepcopy(wanted)
    _, retained = split_differences(wanted, live, stored, ignored)
    for each in retained:
        _set(body, each.path, each.live)
    own = {key: live["metadata"][key] for key in ("uid", "resourceVersion")}
    entries = _own_entries(wanted, live, manager)
    body["metadata"] |= {**own, **({"managedFields": entries} if entries else {})}
    return body


def owned(wanted: Manifest, live: Manifest, manager: str) -> Manifest:
    """Return a live object with the stack as the only owner of the declared fields."""
    return {**live, "metadata": {**live["metadata"], "managedFields": _own_entries(wanted, live, manager)}}


def _own_entries(wanted: Manifest, live: Manifest, manager: str) -> list[Any]:
    """Return the entries of the stack, and of controllers that write undeclared fields of a subresource."""

    def stays(entry: dict[str, Any]) -> bool:
        if not entry.get("subresource"):
            return (entry.get("manager"), entry.get("operation")) == (manager, APPLY)
        owner = Owner(entry)
        return not any(owner.owns(path) for path in leaves({"spec": wanted.get("spec") or {}}))

    return [each for each in live["metadata"].get("managedFields") or () if stays(each)]


def _set(body: Any, path: Path, value: object) -> None:  # noqa: ANN401 (nested plain data)
    at = body
    for step, following in pairwise(path):
        if isinstance(step, Item):
            found = [each for each in at if _is_item(each, step)]
            if not found:
                return  # the item is not declared
            at = found[0]
        else:
            at = at.setdefault(step, [] if isinstance(following, Item) else {})
    if isinstance(path[-1], Item):
        at.append(value)
    else:
        at[path[-1]] = value


def _is_item(item: Any, step: Item) -> bool:  # noqa: ANN401 (nested plain data)
    return isinstance(item, dict) and any(
        item.get(key) == step.value.get(key) is not None
        for key in ("name", "mountPath", "containerPort", "port")
    )
