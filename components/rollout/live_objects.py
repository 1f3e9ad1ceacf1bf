"""Reads live objects by name with kubectl. No Pulumi."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, Self

from components.rollout.kubectl import Kubectl, KubectlError

PROVIDER: Final = "pulumi-kubernetes"
"""The prefix of the field managers of Pulumi's provider."""

NO_KIND: Final = "no matches for kind"
"""kubectl's error for a kind that the cluster does not serve."""


@dataclass(frozen=True, kw_only=True, order=True)
class Ref:
    """The identity of an object."""

    kind: str
    api_version: str
    namespace: str
    """Empty for a cluster-scoped object."""
    name: str

    @classmethod
    def of(cls, manifest: Mapping[str, Any]) -> Self:
        """Return the reference to an object, given as a manifest or as the inputs of its resource."""
        metadata = manifest["metadata"]
        return cls(
            kind=manifest["kind"],
            api_version=manifest.get("apiVersion") or manifest["api_version"],
            namespace=metadata.get("namespace") or "",
            name=metadata["name"],
        )

    def __str__(self) -> str:
        """Format it for a message: `Service shop/cart`."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"

    @property
    def manifest(self) -> dict[str, Any]:
        """The manifest that identifies the object for kubectl."""
        place = {"namespace": self.namespace} if self.namespace else {}
        metadata = {"name": self.name, **place}
        return {"apiVersion": self.api_version, "kind": self.kind, "metadata": metadata}


Live = Mapping[Ref, Mapping[str, Any]]
"""Live objects by their reference."""


async def read(kubectl: Kubectl, refs: Sequence[Ref], *, managed_fields: bool = False) -> Live:
    """Read objects by name; omit those that do not exist or whose kind the cluster does not serve.

    Args:
        kubectl: with the context of the cluster, and no namespace.
        refs: the objects.
        managed_fields: whether to include the managed fields.

    Raises:
        KubectlError: kubectl is missing, times out, or lacks permission to read one of them.
    """
    if not refs:
        return {}
    manifests = json.dumps({"apiVersion": "v1", "kind": "List", "items": [each.manifest for each in refs]})
    try:
        flags = ("--filename=-", "--ignore-not-found", "--output=json")
        output = await kubectl("get", *flags, f"--show-managed-fields={managed_fields}", given=manifests)
    except KubectlError as error:
        served = [each for each in refs if f'{NO_KIND} "{each.kind}"' not in str(error)]
        if len(served) == len(refs):
            raise
        return await read(kubectl, served, managed_fields=managed_fields)
    found: dict[str, Any] = json.loads(output) if output.strip() else {"kind": "List", "items": []}
    items: list[dict[str, Any]] = found["items"] if found["kind"] == "List" else [found]
    return {Ref.of(each): each for each in items}


def read_now(kubectl: Kubectl, refs: Sequence[Ref]) -> Live:
    """Read objects synchronously, for a program whose declarations depend on them."""
    with ThreadPoolExecutor(1) as own_loop:
        return own_loop.submit(asyncio.run, read(kubectl, refs)).result()


def is_terminating(live: Mapping[str, Any] | None) -> bool:
    """Return whether an object exists and is being deleted."""
    return bool(live and live["metadata"].get("deletionTimestamp"))


async def release_fields(kubectl: Kubectl, ref: Ref, manager: str) -> None:
    """Remove a manager's entry from the managed fields of an object; fields of other managers stay."""
    words = ("--server-side", "--force-conflicts", "--validate=false", f"--field-manager={manager}")
    await kubectl("apply", "--filename=-", *words, given=json.dumps(ref.manifest))


def former_managers(live: Mapping[str, Any]) -> list[str]:
    """List the field managers with which Pulumi applied an object, without the latest.

    Each provider generates a manager's name when it creates an object; that of a killed provider is lost. An
    apply that changes nothing has no time (seen on Kubernetes 1.35); if there are two, the latest is unknown.
    """
    entries = [
        each
        for each in live["metadata"].get("managedFields") or ()
        if each["operation"] == "Apply"
        and each["manager"].startswith(PROVIDER)
        and not each.get("subresource")
    ]
    timeless = [each for each in entries if "time" not in each]
    if len(timeless) > 1:
        return []
    latest = timeless or sorted(entries, key=lambda each: str(each["time"]))[-1:]
    return [each["manager"] for each in entries if each not in latest]
