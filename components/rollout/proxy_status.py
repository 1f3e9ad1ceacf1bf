"""Waits until istiod and its proxies have a service's current subsets and routes."""

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
from components.rollout.proxy_sync import GATHERING_SECONDS, POLL_SECONDS, ProxySyncTimeout, proxies_synced
from components.rollout.shared_query import QueryRate, SharedQuery
from components.schema.durations import seconds

LAGGING: Final = "`istioctl proxy-status` lists them; repair or delete them, then `pulumi up`"
NO_ANSWER: Final = (
    "restart it, for example by kubectl rollout restart deployment --namespace {namespace} --selector "
    "app=istiod, then `pulumi up`"
)

READ: Final = {
    "istio": "destinationrules.networking.istio.io,virtualservices.networking.istio.io",
    "gateway-api": "httproutes.gateway.networking.k8s.io",
}
"""The kinds that istiod must have read before an update is sent; Services are checked by their pods."""


class HandoverError(pulumi.RunError):
    """An update stops before a version gets its first request, or before one loses its pods."""


class Mesh:
    """The queries of an update to istiod and the API server, shared by all services of the stack."""

    def __init__(self, stack: Stack) -> None:
        self.istiod = Istiod(context=stack.cluster.context, namespace=stack.handover.control_plane)
        self.objects = SharedQuery(self._list, QueryRate(QUERY_SECONDS))
        self._kubectl = Kubectl(context=stack.cluster.context, namespace=stack.namespace.name)
        self._kinds = READ[stack.api]

    async def _list(self) -> Sequence[Mapping[str, Any]]:
        """List the objects of the stack that istiod must read."""
        chosen = ",".join(f"{key}={value}" for key, value in OURS.items())
        try:
            output = await self._kubectl("get", self._kinds, f"--selector={chosen}", "--output=json")
        except KubectlTimeout:
            raise
        except KubectlError as error:
            raise IstiodUnavailable(str(error)) from error
        items: Sequence[Mapping[str, Any]] = json.loads(output)["items"]
        return items


class ProxyStatus:
    """The proxies that call one service, as istiod reports them."""

    def __init__(self, service: Service, stack: Stack, mesh: Mesh) -> None:
        self._service, self._namespace, self._api = service, stack.namespace.name, stack.api
        self._limit = float(seconds(stack.handover.limit) or 0)
        self._istiod, self._objects = mesh.istiod, mesh.objects

    def connect(self) -> None:
        """Connect to istiod in the background. The next query reports a failure."""
        self._connecting = asyncio.ensure_future(self._connect())

    async def _connect(self) -> None:
        with suppress(IstiodUnavailable, KubectlTimeout):
            await self._istiod.connect()

    async def sample(self) -> Sample:
        """Return all proxies, to compare with a later sample."""
        try:
            with self._stop_without_answer():
                return await self._istiod.proxies()
        except IstiodUnavailable:
            # The wait that follows reports it; without an earlier sample no proxy counts as updated.
            return {}

    async def wait_until_synced(
        self, before: Sample | None, kinds: tuple[str, ...], consequence: str
    ) -> None:
        """Wait until every proxy has acknowledged a change.

        Args:
            before: a sample from before the change.
            kinds: the xDS types of the change.
            consequence: the part of the update that is not done if some do not acknowledge in time.

        Raises:
            HandoverError: some proxies have not acknowledged it, or istiod does not answer.
        """
        try:
            with self._stop_without_answer():
                # istiod may still gather a change that it has only just read.
                gathers = await self._wait_until_read(consequence) and before is None
                stuck = await proxies_synced(
                    self._istiod.proxies, {} if gathers else before, kinds, self._limit
                )
        except IstiodUnavailable as error:
            await self.pause(error)
        except ProxySyncTimeout as late:
            raise HandoverError(
                f"{self._service.app.name}: {consequence}, because after {self._limit:g} s these proxies "
                f"have not acknowledged the change: {late}. {LAGGING}"
            ) from late
        else:
            if stuck:
                pulumi.log.warn(
                    f"did not wait for proxies that were late before the change: {', '.join(sorted(stuck))}"
                )

    async def wait_for_endpoints(self, versions: Collection[str]) -> None:
        """Wait until istiod has a ready pod of every version.

        Raises:
            HandoverError: it has none in time, or does not answer.
            IstiodUnavailable: it cannot be queried.
        """
        ends = time.monotonic() + self._limit
        for version in versions:
            labels = selector(self._service.app, version)
            # With the Gateway API, routes lead to the Service of the version.
            name = self._service.app.name if self._api == "istio" else self._service.workload(version)
            while not await self._has_endpoints(f"{name}.{self._namespace}.svc", labels):
                if time.monotonic() > ends:
                    chosen = ",".join(f"{key}={value}" for key, value in labels.items())
                    raise HandoverError(
                        f"{self._service.app.name}: {version} gets no requests, because istiod has no ready "
                        f"pod of it after {self._limit:g} s. To see why: "
                        f"kubectl get pods --namespace {self._namespace} --selector {chosen}"
                    )
                await asyncio.sleep(POLL_SECONDS)

    async def _wait_until_read(self, consequence: str) -> bool:
        """Wait until istiod has read the latest objects of the service; returns whether a wait was needed.

        istiod watches each kind separately, and reconnects up to a minute after the API server was
        unreachable. Until then it sends nothing, as for a change that concerns no proxy, or routes to a
        subset that it has not read.
        """
        begun = time.monotonic()
        waited = False
        while not await self._has_read():
            waited = True
            if time.monotonic() - begun > self._limit:
                raise HandoverError(
                    f"{self._service.app.name}: {consequence}, because after {self._limit:g} s istiod has "
                    f"not read the latest {READ[self._api]}. Check its connection to the API server: kubectl "
                    f"logs --namespace {self._istiod.namespace} --selector app=istiod; then `pulumi up`"
                )
            await asyncio.sleep(POLL_SECONDS)
        return waited

    async def _has_read(self) -> bool:
        name = self._service.app.name
        objects = [each for each in await self._objects() if each["metadata"]["labels"].get("app") == name]
        if self._api == "istio":
            return await self._istiod.has_read(objects)
        return all(map(_is_observed, objects))

    async def pause(self, why: IstiodUnavailable) -> None:
        """Fall back to a fixed delay when istiod cannot be queried: its longest debounce."""
        pulumi.log.warn(
            f"istiod cannot be queried for the state of the proxies, so this waits {GATHERING_SECONDS} s: "
            f"{why}. The query needs permission to `get` and `list` pods and to `create` pods/portforward in "
            f"namespace {self._istiod.namespace} (mesh-app:handover.controlPlane): the Role is in "
            "docs/operations.md"
        )
        await asyncio.sleep(GATHERING_SECONDS)

    async def _has_endpoints(self, host: str, labels: dict[str, str]) -> bool:
        with self._stop_without_answer():
            return await self._istiod.has_endpoints(host, labels)

    @contextmanager
    def _stop_without_answer(self) -> Iterator[None]:
        """Stop the update if istiod runs but does not answer: it may not update proxies either."""
        try:
            yield
        except ProcessLimitReached as error:
            raise HandoverError(f"{self._service.app.name}: {error}; then `pulumi up`") from error
        except KubectlTimeout as error:
            fix = NO_ANSWER.format(namespace=self._istiod.namespace)
            raise HandoverError(f"{self._service.app.name}: istiod did not answer: {error}; {fix}") from error


def _is_observed(route: Mapping[str, Any]) -> bool:
    """Return whether istiod's conditions in the route's status are for its latest generation.

    Conditions of other controllers are ignored: the controller may be gone.
    """
    conditions = [
        each
        for parent in route.get("status", {}).get("parents", ())
        if parent["controllerName"].startswith("istio.io/")
        for each in parent["conditions"]
    ]
    return all(each.get("observedGeneration", 0) >= route["metadata"]["generation"] for each in conditions)
