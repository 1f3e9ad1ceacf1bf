"""What istiod and its proxies know of a service's versions, and waiting until they know it."""

import asyncio
import json
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final

import pulumi

from components.manifests.labels import OURS, selector
from components.model.service import Service
from components.model.stack import Stack
from components.rollout.istiod import QUERY_SECONDS, Istiod, IstiodUnavailable, Sample
from components.rollout.kubectl import Kubectl, KubectlError, KubectlTimeout, ProcessLimitReached
from components.rollout.proxy_sync import GATHERING_SECONDS, PAUSE_SECONDS, ProxySyncTimeout, proxies_synced
from components.rollout.shared_query import QueryRate, SharedQuery
from components.schema.durations import seconds

LAGGING: Final = "`istioctl proxy-status` shows them: mend or delete them, then `pulumi up`"
SILENT: Final = (
    "bring it back, as by kubectl rollout restart deployment --namespace {namespace} --selector app=istiod, "
    "then `pulumi up`"
)

READ: Final = {
    "istio": "destinationrules.networking.istio.io,virtualservices.networking.istio.io",
    "gateway-api": "httproutes.gateway.networking.k8s.io",
}
"""What of a service istiod has to read before it sends anything; Services it knows by their pods."""


class HandoverError(pulumi.RunError):
    """An update that stops before a version gets its first request, or before one loses its pods."""


class Mesh:
    """What an update asks of istiod and of the API server, for all services of the stack together."""

    def __init__(self, stack: Stack) -> None:
        self.istiod = Istiod(context=stack.cluster.context, namespace=stack.handover.control_plane)
        self.objects = SharedQuery(self._list, QueryRate(QUERY_SECONDS))
        self._kubectl = Kubectl(context=stack.cluster.context, namespace=stack.namespace.name)
        self._kinds = READ[stack.api]

    async def _list(self) -> Sequence[Mapping[str, Any]]:
        """List the objects of the stack that istiod has to read."""
        chosen = ",".join(f"{key}={value}" for key, value in OURS.items())
        try:
            said = await self._kubectl("get", self._kinds, f"--selector={chosen}", "--output=json")
        except KubectlTimeout:
            raise
        except KubectlError as error:
            raise IstiodUnavailable(str(error)) from error
        items: Sequence[Mapping[str, Any]] = json.loads(said)["items"]
        return items


class ProxyStatus:
    """The proxies that call one service, as istiod knows them."""

    def __init__(self, service: Service, stack: Stack, mesh: Mesh) -> None:
        self._service, self._namespace, self._api = service, stack.namespace.name, stack.api
        self._limit = float(seconds(stack.handover.limit) or 0)
        self._istiod, self._objects = mesh.istiod, mesh.objects

    def connect(self) -> None:
        """Connect to istiod while something else is waited for. The next question reports what has failed."""
        self._connecting = asyncio.ensure_future(self._connect())

    async def _connect(self) -> None:
        with suppress(IstiodUnavailable, KubectlTimeout):
            await self._istiod.connect()

    async def sample(self) -> Sample:
        """Look at all of them, to know later what is new."""
        try:
            with self._answers():
                return await self._istiod.proxies()
        except IstiodUnavailable:
            # Whoever waits for the proxies will say so; of proxies never seen before none counts as newer.
            return {}

    async def take(self, before: Sample | None, kinds: tuple[str, ...], otherwise: str) -> None:
        """Wait until every proxy has taken a change.

        Args:
            before: a look from before the change.
            kinds: what istiod sends.
            otherwise: what becomes of the update where some do not take it in time.

        Raises:
            HandoverError: they have not, or istiod is silent.
        """
        try:
            with self._answers():
                # What istiod has read only now it may still gather.
                gathers = await self._read(otherwise) and before is None
                stuck = await proxies_synced(
                    self._istiod.proxies, {} if gathers else before, kinds, self._limit
                )
        except IstiodUnavailable as error:
            await self.pause(error)
        except ProxySyncTimeout as late:
            raise HandoverError(
                f"{self._service.app.name}: {otherwise}, because after {self._limit:g} s these proxies lag "
                f"behind: {late}. {LAGGING}"
            ) from late
        else:
            if stuck:
                pulumi.log.warn(f"not waited for, since they were late before: {', '.join(sorted(stuck))}")

    async def know(self, versions: Collection[str]) -> None:
        """Wait until istiod knows a ready pod of every version.

        Raises:
            HandoverError: it knows none in time, or is silent.
            IstiodUnavailable: it could not be asked.
        """
        ends = time.monotonic() + self._limit
        for version in versions:
            labels = selector(self._service.app, version)
            # A route of the Gateway API leads to a Service of the version's own.
            name = self._service.app.name if self._api == "istio" else self._service.workload(version)
            while not await self._knows(f"{name}.{self._namespace}.svc", labels):
                if time.monotonic() > ends:
                    chosen = ",".join(f"{key}={value}" for key, value in labels.items())
                    raise HandoverError(
                        f"{self._service.app.name}: {version} gets no request, because istiod knows no "
                        f"ready pod of it after {self._limit:g} s. See why: "
                        f"kubectl get pods --namespace {self._namespace} --selector {chosen}"
                    )
                await asyncio.sleep(PAUSE_SECONDS)

    async def _read(self, otherwise: str) -> bool:
        """Wait until istiod has read the service's objects as they are; returns whether it had to.

        It watches each kind by itself. After an API server that was away it asks again up to a minute late:
        until then it sends nothing, which looks like a change that concerns no proxy; or routes to a subset
        that it has not read.
        """
        begun = time.monotonic()
        waited = False
        while not await self._has_read():
            waited = True
            if time.monotonic() - begun > self._limit:
                raise HandoverError(
                    f"{self._service.app.name}: {otherwise}, because after {self._limit:g} s istiod has not "
                    f"read what the API server has of {READ[self._api]}. See whether it reaches it: kubectl "
                    f"logs --namespace {self._istiod.namespace} --selector app=istiod; then `pulumi up`"
                )
            await asyncio.sleep(PAUSE_SECONDS)
        return waited

    async def _has_read(self) -> bool:
        name = self._service.app.name
        objects = [each for each in await self._objects() if each["metadata"]["labels"].get("app") == name]
        if self._api == "istio":
            return await self._istiod.knows(objects)
        return all(map(_is_observed, objects))

    async def pause(self, why: IstiodUnavailable) -> None:
        """Do without istiod's word: it has sent everything after the longest time that it gathers changes."""
        pulumi.log.warn(
            f"istiod could not be asked whether every proxy has taken the change, so this waits "
            f"{GATHERING_SECONDS} s: {why}. It takes the rights to `get` and `list` pods and to `create` "
            f"pods/portforward in namespace {self._istiod.namespace} (mesh-app:handover.controlPlane): the "
            "Role is in docs/operations.md"
        )
        await asyncio.sleep(GATHERING_SECONDS)

    async def _knows(self, host: str, labels: dict[str, str]) -> bool:
        with self._answers():
            return await self._istiod.knows_pods(host, labels)

    @contextmanager
    def _answers(self) -> Iterator[None]:
        """Go no further where an istiod that is there says nothing: it may send nothing either."""
        try:
            yield
        except ProcessLimitReached as overloaded:
            raise HandoverError(f"{self._service.app.name}: {overloaded}; then `pulumi up`") from overloaded
        except KubectlTimeout as silent:
            fix = SILENT.format(namespace=self._istiod.namespace)
            raise HandoverError(f"{self._service.app.name}: istiod is silent: {silent}; {fix}") from silent


def _is_observed(route: Mapping[str, Any]) -> bool:
    """Whether istiod has noted for each Gateway that it read a route as it was written last.

    Another controller, which may be gone, leaves notes of its own.
    """
    notes = [
        note
        for parent in route.get("status", {}).get("parents", ())
        if parent["controllerName"].startswith("istio.io/")
        for note in parent["conditions"]
    ]
    return all(note.get("observedGeneration", 0) >= route["metadata"]["generation"] for note in notes)
