"""Queries istiod's debug endpoints for its proxies, pods and objects, through a forwarded port. No Pulumi.

istioctl does the same. Since 1.28 istiod answers only its own pod or callers with an identity of the mesh,
which the API server's proxy lacks; a forwarded port ends in the pod.

All services of a stack share one connection to each istiod for the whole update, and the responses.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from components.rollout.kubectl import (
    ANSWER_SECONDS,
    Kubectl,
    KubectlError,
    KubectlTimeout,
    ProcessLimitReached,
    is_unreachable,
)
from components.rollout.port_forward import PortForward, PortForwardFailed
from components.rollout.shared_query import QueryRate, SharedQuery

T = TypeVar("T")

HEALTHY: Final = 1
"""istiod's code for a healthy endpoint."""

KINDS: Final = ("cluster", "endpoint", "listener", "route")
"""The xDS types that istiod sends to a proxy: subsets, their pods, ports and routes."""

QUERY_SECONDS: Final = 0.5
"""The interval between queries, for all services together: a response may be as large as the mesh."""

LIST_SECONDS: Final = 2.0
"""How long the list of istiod's pods is cached: new pods may have proxies, and each list runs kubectl."""

MONITORING_PORT: Final = "15014"
"""The port of istiod's debug endpoints, unless an annotation of its pods sets another, as for istioctl."""


class IstiodUnavailable(Exception):
    """istiod cannot be queried: kubectl or the permission is missing, or no istiod runs."""


class _ConnectionLost(Exception):
    """A query failed and can be tried again."""


@dataclass(frozen=True, kw_only=True)
class Proxy:
    """The nonces that an Envoy was last sent and has last acknowledged, by xDS type."""

    sent: Mapping[str, str]
    acked: Mapping[str, str]

    def waits(self, kinds: tuple[str, ...]) -> bool:
        """Return whether an update of these types is not acknowledged, or was rejected."""
        return any(self.sent[kind] != self.acked[kind] for kind in kinds)


Sample = Mapping[str, Proxy]
"""All proxies by name, at one moment."""


class Istiod:
    """The control plane in a namespace of a kubeconfig context, during one update."""

    def __init__(self, *, context: str, namespace: str) -> None:
        self.namespace: Final = namespace
        self._context, self._kubectl = context, Kubectl(context=context, namespace=namespace)
        self._forwards: dict[str, PortForward] = {}
        self._ports: Mapping[str, int] = {}
        self._listed, self._listing = float("-inf"), asyncio.Lock()
        pace = QueryRate(QUERY_SECONDS)
        self._syncz = SharedQuery(self._proxies, pace, self.connect)
        self._shards = SharedQuery(lambda: self._ask("/debug/endpointShardz"), pace, self.connect)
        self._configz = SharedQuery(self._read, pace, self.connect)

    async def proxies(self) -> Sample:
        """Return all proxies of all istiods.

        Raises:
            IstiodUnavailable: it cannot be queried.
            KubectlTimeout: it does not answer.
        """
        return await self._syncz()

    async def has_endpoints(self, host: str, labels: Mapping[str, str]) -> bool:
        """Return whether every istiod has a healthy pod with these labels behind a host, in any domain.

        Raises:
            IstiodUnavailable: it cannot be queried.
            KubectlTimeout: it does not answer.
        """
        return all(_has_pod(answer, host, labels) for answer in await self._shards())

    async def has_read(self, objects: Sequence[Mapping[str, Any]]) -> bool:
        """Return whether every istiod has the latest generation of these objects of Istio's kinds.

        Raises:
            IstiodUnavailable: it cannot be queried.
            KubectlTimeout: it does not answer.
        """
        wanted = _written(objects)
        return all(wanted <= read for read in await self._configz())

    async def _proxies(self) -> Sample:
        answers = await self._ask("/debug/syncz")
        return {entry["proxy"]: _proxy(entry) for entries in answers for entry in entries or ()}

    async def _read(self) -> list[set[tuple[str, int]]]:
        return [_written(answer or ()) for answer in await self._ask("/debug/configz")]

    async def _ask(self, path: str) -> list[Any]:
        """Query every istiod; a proxy is connected to one of them."""
        return await self._of_each(lambda pod: self._answer(pod, path))

    async def connect(self) -> None:
        """Connect to every istiod, so that the first query is answered sooner.

        Raises:
            IstiodUnavailable: it cannot be queried.
            KubectlTimeout: it does not answer.
        """
        await self._of_each(self._forward)

    async def _of_each(self, what: Callable[[str], Awaitable[T]]) -> list[T]:
        """Call a function with every istiod; retry for `ANSWER_SECONDS`.

        Raises:
            IstiodUnavailable: it cannot be queried, with the error of istiod or kubectl.
            KubectlTimeout: it has not answered in time.
        """
        ends = time.monotonic() + ANSWER_SECONDS
        while True:
            try:
                return await asyncio.gather(*(_in_time(what(pod), pod, ends) for pod in await self._asked()))
            except _ConnectionLost as lost:
                if time.monotonic() > ends - QUERY_SECONDS:
                    raise KubectlTimeout(f"no answer within {ANSWER_SECONDS:g} s: {lost}") from lost
            self._listed = float("-inf")
            await asyncio.sleep(QUERY_SECONDS)

    async def _forward(self, pod: str) -> PortForward:
        """Return the connection to an istiod, a new one if it has ended."""
        forward = self._forwards.get(pod)
        if forward is None or forward.is_over:
            forward = self._forwards[pod] = PortForward(self._kubectl, pod, self._ports[pod])
        try:
            await forward.opened()
        except KubectlError as error:
            again = (
                isinstance(error, ProcessLimitReached)
                or is_unreachable(str(error))
                or "not found" in str(error)
            )
            raise (_ConnectionLost if again else IstiodUnavailable)(f"pod/{pod}: {error}") from error
        return forward

    async def _answer(self, pod: str, path: str) -> Any:  # noqa: ANN401 (whatever JSON it is)
        forward = await self._forward(pod)
        try:
            status, body = await forward.get(path)
        except PortForwardFailed as error:
            forward.close()
            raise _ConnectionLost(f"pod/{pod}: {error}") from error
        if status != 200:  # noqa: PLR2004 (OK)
            text = body.decode(errors="replace").strip()
            raise IstiodUnavailable(f"pod/{pod} answers {path} with status {status}: {text[:80]}")
        try:
            return json.loads(body)
        except ValueError as error:
            raise _ConnectionLost(f"pod/{pod} does not answer {path} in JSON: {body[:80]!r}") from error

    async def _asked(self) -> Sequence[str]:
        """Return the pods of istiod to query, from a list that is refreshed every `LIST_SECONDS`."""
        async with self._listing:
            if time.monotonic() - self._listed > LIST_SECONDS:
                self._ports = await self._list()
                self._listed = time.monotonic()
                for gone in self._forwards.keys() - self._ports.keys():
                    self._forwards.pop(gone).close()
        return tuple(self._ports)

    async def _list(self) -> dict[str, int]:
        """Return the pods of istiod that may have proxies, with the port of their debug endpoints."""
        running = "--field-selector=status.phase!=Failed,status.phase!=Succeeded"
        try:
            output = await self._kubectl("get", "pods", "--selector=app=istiod", running, "--output=json")
        except KubectlTimeout:
            raise
        except KubectlError as error:
            raise IstiodUnavailable(str(error)) from error
        pods = json.loads(output)["items"]
        if not pods:
            raise IstiodUnavailable(
                f"no istiod runs in namespace {self.namespace} of context {self._context}"
            )
        if asked := {pod["metadata"]["name"]: _port(pod) for pod in pods if _may_have_proxies(pod)}:
            return asked
        names = ", ".join(f"pod/{pod['metadata']['name']}" for pod in pods)
        raise _ConnectionLost(f"no istiod of namespace {self.namespace} is ready: {names}")


async def _in_time(answer: Awaitable[T], pod: str, ends: float) -> T:
    try:
        async with asyncio.timeout(ends - time.monotonic()):
            return await answer
    except TimeoutError as error:
        raise KubectlTimeout(f"no answer within {ANSWER_SECONDS:g} s: pod/{pod}") from error


def _may_have_proxies(pod: Mapping[str, Any]) -> bool:
    """Return whether an istiod is ready, or was ready since it started.

    A frozen istiod becomes unready after some seconds, while its proxies stay connected. One that is being
    deleted passes its proxies to others.
    """
    if "deletionTimestamp" in pod["metadata"]:
        return False
    status = pod.get("status", {})
    ready: Mapping[str, str] = next(
        (each for each in status.get("conditions", ()) if each["type"] == "Ready"), {}
    )
    started = [
        each["state"]["running"]["startedAt"]
        for each in status.get("containerStatuses", ())
        if "running" in each["state"]
    ]
    # Both times are from the same clock, in seconds.
    was_ready = bool(started) and ready.get("lastTransitionTime", "") > max(started)
    return ready.get("status") == "True" or was_ready


def _port(pod: Mapping[str, Any]) -> int:
    port = pod["metadata"].get("annotations", {}).get("prometheus.io/port", "")
    return int(port if port.isdecimal() else MONITORING_PORT)


def _written(objects: Sequence[Mapping[str, Any]]) -> set[tuple[str, int]]:
    """Identify objects by uid and generation.

    Objects that istiod derives from routes of the Gateway API have neither.
    """
    known = [each["metadata"] for each in objects]
    return {(each["uid"], each["generation"]) for each in known if "uid" in each and "generation" in each}


def _proxy(entry: Mapping[str, str]) -> Proxy:
    return Proxy(
        sent={kind: entry.get(f"{kind}_sent", "") for kind in KINDS},
        acked={kind: entry.get(f"{kind}_acked", "") for kind in KINDS},
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
