"""What istiod knows of its proxies and pods, asked through kubectl as istioctl asks. No Pulumi.

istiod answers such questions only from its own pod: since 1.28 a request from elsewhere needs an identity of
the mesh, and the API server's proxy has none.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from components.kubectl import Kubectl, KubectlError, SilentError

HEALTHY: Final = 1
"""The health of an endpoint that takes requests, in istiod's numbers."""

KINDS: Final = ("cluster", "endpoint", "listener", "route")
"""What istiod sends to a proxy: subsets, their pods, ports, and the routes between."""


class UnaskedError(Exception):
    """istiod could not be asked: no kubectl, no right to, no istiod there."""


@dataclass(frozen=True, kw_only=True)
class Proxy:
    """What an Envoy was sent last of each kind, and what of that it has taken: marks that istiod makes up."""

    sent: Mapping[str, str]
    taken: Mapping[str, str]

    def waits(self, kinds: tuple[str, ...]) -> bool:
        """Whether something of these kinds is on its way, or was refused."""
        return any(self.sent[kind] != self.taken[kind] for kind in kinds)


Look = Mapping[str, Proxy]
"""All proxies by name, at one moment."""


@dataclass(frozen=True, kw_only=True)
class Istiod:
    """The control plane in a namespace of a kubeconfig context."""

    context: str
    namespace: str

    async def proxies(self) -> Look:
        """Look at all proxies of all istiods.

        Raises:
            UnaskedError: it could not be asked.
            SilentError: it does not answer.
        """
        answers = await self._ask("/debug/syncz")
        return {entry["proxy"]: _proxy(entry) for entries in answers for entry in entries or ()}

    async def knows_pods(self, host: str, labels: Mapping[str, str]) -> bool:
        """Whether every istiod has a healthy pod with these labels behind a host; the domain may be any.

        Raises:
            UnaskedError: it could not be asked.
            SilentError: it does not answer.
        """
        return all(_has_pod(answer, host, labels) for answer in await self._ask("/debug/endpointShardz"))

    async def knows(self, objects: Sequence[Mapping[str, Any]]) -> bool:
        """Whether every istiod has read these objects of Istio's kinds as they were written last.

        Raises:
            UnaskedError: it could not be asked.
            SilentError: it does not answer.
        """
        wanted = set(map(_written, objects))
        return all(wanted <= set(map(_written, each or ())) for each in await self._ask("/debug/configz"))

    async def _ask(self, path: str) -> list[Any]:
        """Ask every running istiod; a proxy is connected to one of them."""
        selection = ("--selector=app=istiod", "--field-selector=status.phase=Running", "--output=name")
        pods = (await self._kubectl("get", "pods", *selection)).split()
        if not pods:
            raise UnaskedError(f"no istiod runs in namespace {self.namespace} of context {self.context}")
        question = ("--container=discovery", "--", "pilot-discovery", "request", "GET", path)
        answers = await asyncio.gather(*(self._kubectl("exec", pod, *question) for pod in pods))
        try:
            return [json.loads(answer) for answer in answers]
        except ValueError as error:
            raise UnaskedError(f"istiod does not answer {path} in JSON: {answers[0][:80]}") from error

    async def _kubectl(self, *words: str) -> str:
        try:
            return await Kubectl(context=self.context, namespace=self.namespace)(*words)
        except SilentError:
            raise
        except KubectlError as error:
            raise UnaskedError(str(error)) from error


def _written(thing: Mapping[str, Any]) -> tuple[str, int]:
    """An object at one moment: the API server counts what is written to it."""
    return thing["metadata"]["uid"], thing["metadata"]["generation"]


def _proxy(entry: Mapping[str, str]) -> Proxy:
    return Proxy(
        sent={kind: entry.get(f"{kind}_sent", "") for kind in KINDS},
        taken={kind: entry.get(f"{kind}_acked", "") for kind in KINDS},
    )


def _has_pod(shards: Mapping[str, Any], host: str, labels: Mapping[str, str]) -> bool:
    """Search istiod's endpoints: host → namespace → shard → endpoints."""
    return any(
        endpoint["HealthStatus"] == HEALTHY and labels.items() <= (endpoint["Labels"] or {}).items()
        for name, namespaces in shards.items()
        if name.startswith(f"{host}.")
        for namespace in namespaces.values()
        for endpoints in namespace["Shards"].values()
        for endpoint in endpoints
    )
