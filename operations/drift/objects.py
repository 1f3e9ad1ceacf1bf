"""What there is to say of one object: its fields, who owns them, whether it is there at all. Pure."""

from collections.abc import Iterator

from operations.drift.diff import Difference, differences, everything, is_bookkeeping
from operations.drift.field_ownership import Ownership, leaves
from operations.drift.findings import Finding, Problem, Ref
from operations.drift.platform_metadata import PlatformMetadata
from operations.drift.state import StoredState
from operations.kube.fields import ABSENT, Path, spelled_path
from operations.kube.manifests import Manifest
from operations.kube.redaction import without_secret_values

CONFLICT = "the value is right, but the next pulumi up that changes it would be refused as a conflict"
SHARED = "the value is right, but somebody else owns the field: taken out of the stack file, it would stay"
FORCED = "pulumi.com/patchForce"
"""The annotation by which Pulumi takes a field back from whoever owns it."""
NO_DEFAULTS = "istio.io"
"""Of the kinds of these API groups the API server fills nothing in."""


def ref(manifest: Manifest) -> Ref:
    """Say which object it is."""
    metadata = manifest["metadata"]
    return Ref(
        api_version=manifest["apiVersion"],
        kind=manifest["kind"],
        namespace=metadata.get("namespace", ""),
        name=metadata["name"],
    )


def whole(
    live: Manifest, problem: Problem, *, why: str, pending: bool = False, is_foreign: bool = False
) -> Finding:
    """Say something of an object as a whole."""
    return Finding(
        ref=ref(live),
        problem=problem,
        writer=Ownership.of(live).maker(),
        why=why,
        pending=pending,
        is_foreign=is_foreign,
    )


def object_findings(
    wanted: Manifest,
    live: Manifest | None,
    stored: StoredState,
    stamps: PlatformMetadata,
    *,
    pending: str | None,
) -> Iterator[Finding]:
    """Hold one declared object against the live one.

    Args:
        wanted: as the stack file declares it.
        live: as the API server has it.
        stored: what Pulumi applied last.
        stamps: what the platform writes on namespaces.
        pending: what the next `pulumi up` does to it, if anything.
    """
    if live is None:
        why = "not made yet: pulumi up makes it" if pending == "create" else ""
        yield Finding(ref=ref(wanted), problem=Problem.MISSING, why=why, pending=pending == "create")
        return
    metadata = live["metadata"]
    if metadata.get("deletionTimestamp"):
        held = ", ".join(metadata.get("finalizers") or ()) or "what is in it"
        why = f"its deletion was asked for at {metadata['deletionTimestamp']}; {held} holds it"
        yield Finding(ref=ref(wanted), problem=Problem.LEAVING, why=why)
    if stored.uid and stored.uid != metadata["uid"]:
        yield Finding(
            ref=ref(wanted),
            problem=Problem.REPLACED,
            path="metadata.uid",
            declared=stored.uid,
            live=metadata["uid"],
            writer=Ownership.of(live).maker(),
            why=f"made at {metadata['creationTimestamp']}, and not by the stack",
        )
    yield from _fields(wanted, live, stored, stamps, pending=bool(pending))


def owned_by_others(
    wanted: Manifest, live: Manifest, stored: StoredState, stamps: PlatformMetadata
) -> list[Difference]:
    """List what of a live object is neither declared nor a hand's: whoever puts it back keeps this."""
    ownership = Ownership.of(live)
    return [
        each
        for each in everything(wanted, live)
        if is_bookkeeping(each, wanted["kind"])
        or _is_owned_by_others(each, wanted, ownership, stored, stamps)
    ]


def _fields(
    wanted: Manifest, live: Manifest, stored: StoredState, stamps: PlatformMetadata, *, pending: bool
) -> Iterator[Finding]:
    ownership = Ownership.of(live)
    found = [
        each
        for each in differences(wanted, live)
        if not _is_owned_by_others(each, wanted, ownership, stored, stamps)
    ]
    for each in found:
        yield Finding(
            ref=ref(wanted),
            problem=each.problem,
            path=spelled_path(each.path),
            declared=without_secret_values(each.declared, each.path),
            live=without_secret_values(each.live, each.path),
            writer=ownership.writer(each.path, stored.manager),
            pending=pending,
        )
    if not pending:
        yield from _taken(wanted, ownership, stored, [each.path for each in found])


def _is_owned_by_others(
    difference: Difference,
    wanted: Manifest,
    ownership: Ownership,
    stored: StoredState,
    stamps: PlatformMetadata,
) -> bool:
    """Tell what the API server, a webhook or the platform wrote where nothing was declared."""
    path, manager = difference.path, stored.manager
    if difference.declared is not ABSENT or not ownership.owners:
        return False
    if wanted["kind"] == "Namespace" and stamps.holds(path, difference.live, ownership, manager):
        return True
    applied = ownership.applied(manager)
    if ownership.foreign_objects(path, manager) or (applied is not None and applied.owns(path)):
        return False
    # What a webhook writes while Pulumi applies is noted; what nobody is noted for can only be a default.
    return _may_be_default(difference, wanted) or ownership.writer(path, manager) is not None


def _may_be_default(difference: Difference, wanted: Manifest) -> bool:
    path, default = difference.path, difference.default
    if default is not ABSENT and not isinstance(default, dict | list):
        return False  # it is known, and another: a scale to 0 has no note, for 0 is left out of its fields
    if path[0] == "metadata":
        return path[1:2] == ("finalizers",)  # one holds an object that is deleted after what it owns
    return not wanted["apiVersion"].partition("/")[0].endswith(NO_DEFAULTS)


def _taken(
    wanted: Manifest, ownership: Ownership, stored: StoredState, known: list[Path]
) -> Iterator[Finding]:
    """List the declared fields that are not Pulumi's alone any more, though they have the declared value."""
    applied = ownership.applied(stored.manager)
    if applied is None:
        if not known:
            why = "no note of what the stack applied is left on it: the next pulumi up may be refused"
            yield Finding(ref=ref(wanted), problem=Problem.TAKEN, path="metadata.managedFields", why=why)
        return
    body = {key: value for key, value in wanted.items() if key not in ("apiVersion", "kind")}
    metadata = wanted["metadata"]
    body["metadata"] = {key: metadata[key] for key in ("labels", "annotations") if metadata.get(key)}
    why = SHARED if FORCED in (metadata.get("annotations") or {}) else CONFLICT
    output: set[Path] = set()
    for path in leaves(body):
        lost = path[: applied.reach(path) + 1]
        is_lost = lost != path or not applied.owns(path)
        if not (is_lost or ownership.rivals(path, stored.manager)):
            continue
        if lost in output or any(_same_place(lost, each) for each in known):
            continue
        output.add(lost)
        yield Finding(
            ref=ref(wanted),
            problem=Problem.TAKEN,
            path=spelled_path(lost),
            writer=ownership.writer(lost, stored.manager),
            why=why,
        )


def _same_place(one: Path, other: Path) -> bool:
    """Whether two paths are of one field, or of fields one within the other."""
    shared = min(len(one), len(other))
    return one[:shared] == other[:shared]
