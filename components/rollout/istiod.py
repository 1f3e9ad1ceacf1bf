"""What istiod knows of its proxies and pods, asked for through a forwarded port as istioctl asks. No Pulumi.

istiod answers such questions only from its own pod: since 1.28 a request from elsewhere needs an identity of
the mesh, and the API server's proxy has none. A forwarded port ends in the pod.

All services of a stack share one connection to each istiod for the whole update, and the answers too.
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
"""The health of an endpoint that takes requests, in istiod's numbers."""

KINDS: Final = ("cluster", "endpoint", "listener", "route")
"""What istiod sends to a proxy: subsets, their pods, ports, and the routes between."""

QUERY_SECONDS: Final = 0.5
"""From one question to the next, for all services together: an answer may be as large as the mesh."""

LIST_SECONDS: Final = 2.0
"""How old the list of istiod's pods may be: a new one may have proxies, and each list is a command."""

MONITORING_PORT: Final = "15014"
"""Where istiod serves its debug pages, unless its pods' annotation names another port, as for istioctl."""


class IstiodUnavailable(Exception):
    """istiod could not be asked: no kubectl, no right to, no istiod there."""


class _ConnectionLost(Exception):
    """No answer this time: worth another try."""


@dataclass(frozen=True, kw_only=True)
class Proxy:
    """What an Envoy was sent last of each kind, and what of that it has taken: marks that istiod makes up."""

    sent: Mapping[str, str]
    taken: Mapping[str, str]

    def waits(self, kinds: tuple[str, ...]) -> bool:
        """Whether something of these kinds is on its way, or was refused."""
        return any(self.sent[kind] != self.taken[kind] for kind in kinds)


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
        """Look at all proxies of all istiods.

        Raises:
            IstiodUnavailable: it could not be asked.
            KubectlTimeout: it does not answer.
        """
        return await self._syncz()

    async def knows_pods(self, host: str, labels: Mapping[str, str]) -> bool:
        """Whether every istiod has a healthy pod with these labels behind a host; the domain may be any.

        Raises:
            IstiodUnavailable: it could not be asked.
            KubectlTimeout: it does not answer.
        """
        return all(_has_pod(answer, host, labels) for answer in await self._shards())

    async def knows(self, objects: Sequence[Mapping[str, Any]]) -> bool:
        """Whether every istiod has read these objects of Istio's kinds as they were written last.

        Raises:
            IstiodUnavailable: it could not be asked.
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
        """Ask every istiod; a proxy is connected to one of them."""
        return await self._of_each(lambda pod: self._answer(pod, path))

    async def connect(self) -> None:
        """Connect to every istiod, so that the first answer comes sooner.

        Raises:
            IstiodUnavailable: it could not be asked.
            KubectlTimeout: it does not answer.
        """
        await self._of_each(self._forward)

    async def _of_each(self, what: Callable[[str], Awaitable[T]]) -> list[T]:
        """Do something with every istiod, in vain for some time if need be.

        Raises:
            IstiodUnavailable: it could not be asked, in its own words or kubectl's.
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
        """Get the connection to an istiod, a new one where there is none any more."""
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
            said = body.decode(errors="replace").strip()
            raise IstiodUnavailable(f"pod/{pod} answers {path} with status {status}: {said[:80]}")
        try:
            return json.loads(body)
        except ValueError as error:
            raise _ConnectionLost(f"pod/{pod} does not answer {path} in JSON: {body[:80]!r}") from error

    async def _asked(self) -> Sequence[str]:
        """Name the pods of istiod to ask; the list is a new one where the last is old."""
        async with self._listing:
            if time.monotonic() - self._listed > LIST_SECONDS:
                self._ports = await self._list()
                self._listed = time.monotonic()
                for gone in self._forwards.keys() - self._ports.keys():
                    self._forwards.pop(gone).close()
        return tuple(self._ports)

    async def _list(self) -> dict[str, int]:
        """Map the pods of istiod that may have proxies to the port of their debug pages."""
        running = "--field-selector=status.phase!=Failed,status.phase!=Succeeded"
        try:
            said = await self._kubectl("get", "pods", "--selector=app=istiod", running, "--output=json")
        except KubectlTimeout:
            raise
        except KubectlError as error:
            raise IstiodUnavailable(str(error)) from error
        pods = json.loads(said)["items"]
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
    """Whether an istiod is ready, or was before it stopped to answer; one that ends gives its proxies away.

    One that is frozen is not ready after some seconds, and its proxies stay connected for longer.
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
    # Written by one clock, to the second.
    was_ready = bool(started) and ready.get("lastTransitionTime", "") > max(started)
    return ready.get("status") == "True" or was_ready


def _port(pod: Mapping[str, Any]) -> int:
    port = pod["metadata"].get("annotations", {}).get("prometheus.io/port", "")
    return int(port if port.isdecimal() else MONITORING_PORT)


def _written(objects: Sequence[Mapping[str, Any]]) -> set[tuple[str, int]]:
    """Tell objects at one moment: the API server counts what is written to each.

    What istiod derives from routes of the Gateway API was never written, and has no such count.
    """
    known = [each["metadata"] for each in objects]
    return {(each["uid"], each["generation"]) for each in known if "uid" in each and "generation" in each}


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
