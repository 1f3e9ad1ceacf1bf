"""Compare one live object with its declaration: existence, fields and their owners. Pure."""

from collections.abc import Iterator

from operations.drift.diff import Difference, all_differences, is_ignored
from operations.drift.field_ownership import Ownership, leaves
from operations.drift.findings import Finding, Problem, Ref
from operations.drift.ignored_fields import IgnoredFields
from operations.drift.state import StoredState
from operations.kube.fields import ABSENT, Path, spelled_path
from operations.kube.manifests import Manifest
from operations.kube.redaction import without_secret_values

CONFLICT = "the value is right, but the next pulumi up that changes it would be refused as a conflict"
SHARED = (
    "the value is right, but another manager owns the field too: removed from the stack file, it would stay"
)
FORCED = "pulumi.com/patchForce"
"""The annotation with which Pulumi takes ownership of a field from other managers."""
NO_DEFAULTS = "istio.io"
"""The API server sets no defaults in kinds of these API groups."""


def ref(manifest: Manifest) -> Ref:
    """Return the reference to an object."""
    metadata = manifest["metadata"]
    return Ref(
        api_version=manifest["apiVersion"],
        kind=manifest["kind"],
        namespace=metadata.get("namespace", ""),
        name=metadata["name"],
    )


def whole(live: Manifest, *, why: str, pending: bool = False, is_foreign: bool = False) -> Finding:
    """Return the finding of an undeclared object."""
    return Finding(
        ref=ref(live),
        problem=Problem.UNDECLARED,
        writer=Ownership.of(live).maker(),
        why=why,
        pending=pending,
        is_foreign=is_foreign,
    )


def object_findings(
    wanted: Manifest,
    live: Manifest | None,
    stored: StoredState,
    ignored: IgnoredFields,
    *,
    pending: str | None,
) -> Iterator[Finding]:
    """Compare one declared object with the live one.

    Args:
        wanted: the object as the stack file declares it.
        live: the object as the API server has it.
        stored: the object as Pulumi applied it last.
        ignored: the undeclared fields that other programs may write.
        pending: what the next `pulumi up` does to it, if anything.
    """
    if live is None:
        why = "not created yet: pulumi up creates it" if pending == "create" else ""
        yield Finding(ref=ref(wanted), problem=Problem.MISSING, why=why, pending=pending == "create")
        return
    metadata, ownership = live["metadata"], Ownership.of(live)
    if metadata.get("deletionTimestamp"):
        holders = ", ".join(metadata.get("finalizers") or ()) or "its content"
        why = f"deletion was requested at {metadata['deletionTimestamp']}; blocked by {holders}"
        yield Finding(ref=ref(wanted), problem=Problem.LEAVING, why=why)
    if stored.uid and stored.uid != metadata["uid"]:
        yield Finding(
            ref=ref(wanted),
            problem=Problem.REPLACED,
            path="metadata.uid",
            declared=stored.uid,
            live=metadata["uid"],
            writer=ownership.maker(),
            why=f"created at {metadata['creationTimestamp']}, and not by the stack",
        )
    drifted, _ = split_differences(wanted, live, stored, ignored)
    for each in drifted:
        yield Finding(
            ref=ref(wanted),
            problem=each.problem,
            path=spelled_path(each.path),
            declared=without_secret_values(each.declared, each.path),
            live=without_secret_values(each.live, each.path),
            writer=ownership.writer(each.path, stored.manager),
            pending=bool(pending),
        )
    if not pending:
        yield from _taken(wanted, ownership, stored, [each.path for each in drifted])


def split_differences(
    wanted: Manifest, live: Manifest, stored: StoredState, ignored: IgnoredFields
) -> tuple[list[Difference], list[Difference]]:
    """Return the differences that are drift, and those that a repair retains."""
    drifted: list[Difference] = []
    retained: list[Difference] = []
    ownership = Ownership.of(live)
    for each in all_differences(wanted, live):
        is_retained = is_ignored(each, wanted["kind"], ignored) or _is_default(
            each, wanted, ownership, stored.manager
        )
        (retained if is_retained else drifted).append(each)
    return drifted, retained


def _is_default(difference: Difference, wanted: Manifest, ownership: Ownership, manager: str | None) -> bool:
    """Return whether the API server or a webhook wrote a field that was not declared."""
    path, default = difference.path, difference.default
    if difference.declared is not ABSENT or not ownership.owners:
        return False
    applied = ownership.applied(manager)
    if ownership.other_writers(path, manager) or (applied is not None and applied.owns(path)):
        return False
    if ownership.writer(path, manager) is not None:
        return True  # a webhook, while Pulumi applied the object
    if default is not ABSENT and not isinstance(default, dict | list):
        return False  # the default is another value: a scale to 0 has no manager, since 0 is omitted
    if path[0] == "metadata":
        return path[1:2] == ("finalizers",)  # of an object that is deleted after the objects that it owns
    return not wanted["apiVersion"].partition("/")[0].endswith(NO_DEFAULTS)


def _taken(
    wanted: Manifest, ownership: Ownership, stored: StoredState, known: list[Path]
) -> Iterator[Finding]:
    """Return the declared fields with the declared value that Pulumi does not own, or not alone."""
    applied = ownership.applied(stored.manager)
    if applied is None:
        if not known:
            why = "managedFields has no entry of the stack: the next pulumi up may be refused as a conflict"
            yield Finding(ref=ref(wanted), problem=Problem.TAKEN, path="metadata.managedFields", why=why)
        return
    body = {key: value for key, value in wanted.items() if key not in ("apiVersion", "kind")}
    metadata = wanted["metadata"]
    body["metadata"] = {key: metadata[key] for key in ("labels", "annotations") if metadata.get(key)}
    why = SHARED if FORCED in (metadata.get("annotations") or {}) else CONFLICT
    reported: set[Path] = set()
    for path in leaves(body):
        lost = path[: applied.reach(path) + 1]
        is_lost = lost != path or not applied.owns(path)
        if not (is_lost or ownership.conflicts(path, stored.manager)):
            continue
        if lost in reported or any(_contains(lost, each) for each in known):
            continue
        reported.add(lost)
        yield Finding(
            ref=ref(wanted),
            problem=Problem.TAKEN,
            path=spelled_path(lost),
            writer=ownership.writer(lost, stored.manager),
            why=why,
        )


def _contains(one: Path, other: Path) -> bool:
    """Return whether two paths are equal, or one contains the other."""
    shared = min(len(one), len(other))
    return one[:shared] == other[:shared]
