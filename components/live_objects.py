"""The live objects of the cluster that a program is about to create, asked of kubectl by name. No Pulumi."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, Self

from components.kubectl import Kubectl, KubectlError

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


async def read(kubectl: Kubectl, refs: Sequence[Ref]) -> Live:
    """Read objects by name; those that do not exist, or whose kind the cluster does not serve, are left out.

    Raises:
        KubectlError: kubectl is missing, gets no answer, or may not read one of them.
    """
    if not refs:
        return {}
    asked = json.dumps({"apiVersion": "v1", "kind": "List", "items": [each.manifest for each in refs]})
    try:
        words = ("--filename=-", "--ignore-not-found", "--output=json")
        said = await kubectl("get", *words, given=asked)
    except KubectlError as error:
        served = [each for each in refs if f'{NO_KIND} "{each.kind}"' not in str(error)]
        if len(served) == len(refs):
            raise
        return await read(kubectl, served)
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
