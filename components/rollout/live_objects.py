"""The live objects of the cluster that a program is about to create, asked of kubectl by name. No Pulumi."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, Self

from components.rollout.kubectl import Kubectl, KubectlError

PROVIDER: Final = "pulumi-kubernetes"
"""How all names of Pulumi's provider begin."""

NO_KIND: Final = "no matches for kind"
"""What kubectl says of a kind that the cluster does not serve."""


@dataclass(frozen=True, kw_only=True, order=True)
class Ref:
    """Which object."""

    kind: str
    api_version: str
    namespace: str
    """Empty for an object of the whole cluster."""
    name: str

    @classmethod
    def of(cls, manifest: Mapping[str, Any]) -> Self:
        """Read it off an object, or off the inputs of its resource."""
        metadata = manifest["metadata"]
        return cls(
            kind=manifest["kind"],
            api_version=manifest.get("apiVersion") or manifest["api_version"],
            namespace=metadata.get("namespace") or "",
            name=metadata["name"],
        )

    def __str__(self) -> str:
        """Name it as a person does."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"

    @property
    def manifest(self) -> dict[str, Any]:
        """Write it as kubectl reads it."""
        place = {"namespace": self.namespace} if self.namespace else {}
        metadata = {"name": self.name, **place}
        return {"apiVersion": self.api_version, "kind": self.kind, "metadata": metadata}


Live = Mapping[Ref, Mapping[str, Any]]
"""Live objects by what was asked for."""


async def read(kubectl: Kubectl, refs: Sequence[Ref], *, notes: bool = False) -> Live:
    """Read objects by name; those that do not exist, or whose kind the cluster does not serve, are left out.

    Args:
        kubectl: with the context of the cluster, and no namespace.
        refs: the objects.
        notes: whether to read also who wrote which field.

    Raises:
        KubectlError: kubectl is missing, gets no answer, or may not read one of them.
    """
    if not refs:
        return {}
    asked = json.dumps({"apiVersion": "v1", "kind": "List", "items": [each.manifest for each in refs]})
    try:
        words = ("--filename=-", "--ignore-not-found", "--output=json", f"--show-managed-fields={notes}")
        said = await kubectl("get", *words, given=asked)
    except KubectlError as error:
        served = [each for each in refs if f'{NO_KIND} "{each.kind}"' not in str(error)]
        if len(served) == len(refs):
            raise
        return await read(kubectl, served, notes=notes)
    found: dict[str, Any] = json.loads(said) if said.strip() else {"kind": "List", "items": []}
    items: list[dict[str, Any]] = found["items"] if found["kind"] == "List" else [found]
    return {Ref.of(each): each for each in items}


def read_now(kubectl: Kubectl, refs: Sequence[Ref]) -> Live:
    """Do the same while the program waits: what it declares depends on it."""
    with ThreadPoolExecutor(1) as own_loop:
        return own_loop.submit(asyncio.run, read(kubectl, refs)).result()


def is_leaving(live: Mapping[str, Any] | None) -> bool:
    """Tell whether an object exists and is being deleted."""
    return bool(live and live["metadata"].get("deletionTimestamp"))


async def release_fields(kubectl: Kubectl, ref: Ref, manager: str) -> None:
    """Drop a manager's claims to the fields of an object; those that another manager applied stay."""
    words = ("--server-side", "--force-conflicts", "--validate=false", f"--field-manager={manager}")
    await kubectl("apply", "--filename=-", *words, given=json.dumps(ref.manifest))


def former_managers(live: Mapping[str, Any]) -> list[str]:
    """List the names in which Pulumi applied an object, but for the one of just now.

    Each provider makes up a name when it creates an object; one that was killed takes its name with it. An
    application that changes nothing has no time (seen on Kubernetes 1.35). Of two of them none is the last.
    """
    notes = [
        each
        for each in live["metadata"].get("managedFields") or ()
        if each["operation"] == "Apply"
        and each["manager"].startswith(PROVIDER)
        and not each.get("subresource")
    ]
    timeless = [each for each in notes if "time" not in each]
    if len(timeless) > 1:
        return []
    last = timeless or sorted(notes, key=lambda each: str(each["time"]))[-1:]
    return [each["manager"] for each in notes if each not in last]
