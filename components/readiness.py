"""A version's pods become ready, or the update stops and says why: as a hook around its Deployment."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

import pulumi

from components import workload
from components.hooks import SharedHooks, nobody_calls
from components.kubectl import Kubectl, KubectlError
from components.model.service import Service
from components.model.stack import Stack
from components.unready import Complaint, GoneError, Rollout, rollout

PROVIDER_SECONDS: Final = 100
"""How long the provider waits by itself: it looks at no log, and knows no reason to stop earlier.

Longer than most rollouts take. For slower ones it is asked again once the pods are ready; but Pulumi's state
keeps its complaint then, and the next preview shows an update of the Deployment that changes nothing.
"""

LIMIT_SECONDS: Final = 300.0
"""How long no further pod may become ready, where none says that it never will."""

PAUSE_SECONDS: Final = 1.0
LOG_LINES: Final = 10
NAMED: Final = 3
"""How many complaints a message names."""


class Readiness:
    """Looks at the pods of one version's Deployment where they are not ready in time."""

    def __init__(self, service: Service, version: str, stack: Stack, hooks: SharedHooks) -> None:
        self._name, self._version, self._hooks = service.workload(version), version, hooks
        self._labels = workload.selector(service.app, version)
        self._kubectl = Kubectl(context=stack.cluster.context, namespace=stack.namespace.name)
        self.failure = ""
        """Why the pods of this update do not become ready, where the provider took them for ready."""

    @property
    def hooks(self) -> pulumi.ResourceHookBinding | None:
        """For the Deployment, whose timeouts are to be the provider's share of the wait."""
        if nobody_calls():
            return None
        return pulumi.ResourceHookBinding(
            after_update=[self._hooks.of("pods-updated", self._name, self._updated)],
            on_error=[self._hooks.on_error("pods-unready", self._name, self._unready)],
        )

    async def complaint(self) -> str:
        """Wait until the rollout is done, which is no complaint, or until it is in vain.

        Raises:
            KubectlError: nobody here can see the pods.
        """
        try:
            complaints = await watch(self._look, LIMIT_SECONDS)
        except GoneError:
            return (
                f"no weight moves, because somebody deleted Deployment {self._name} of namespace "
                f"{self._kubectl.namespace} while its pods were waited for; to make it again: "
                "`pulumi up --refresh --run-program`"
            )
        return "" if complaints is None else await self._message(complaints)

    async def _updated(self, _args: pulumi.ResourceHookArgs) -> None:
        """Wait for what the provider may have missed; whoever moves weights has to look at the failure.

        On a busy cluster it takes the first ready pod for all: for a moment the ReplicaSet wants no more, and
        the Deployment still says that its last rollout is done.
        """
        try:
            self.failure = await self.complaint()
        except KubectlError as error:
            pulumi.log.debug(str(error))

    async def _unready(self, args: pulumi.ErrorHookArgs) -> bool:
        """Tell the engine to ask the provider again: the pods are ready, or nobody here can see them."""
        if args.failed_operation == "delete" or "timed out" not in args.errors[0]:
            return False
        pulumi.log.info(f"waiting for the pods of {self._version}, for as long as there is hope")
        try:
            said = await self.complaint()
        except KubectlError as error:
            pulumi.log.warn(f"the pods of {self._version} cannot be looked at: {error}")
            return len(args.errors) * PROVIDER_SECONDS < LIMIT_SECONDS
        if said:
            pulumi.log.error(said)
        return not said

    async def _look(self) -> Rollout:
        selector = ",".join(f"{key}={value}" for key, value in self._labels.items())
        kinds = "deployments,replicasets,pods"
        objects, events = await asyncio.gather(
            self._kubectl("get", kinds, f"--selector={selector}", "--output=json"),
            self._kubectl("get", "events", "--field-selector=involvedObject.kind=Pod", "--output=json"),
        )
        return rollout([*json.loads(objects)["items"], *json.loads(events)["items"]])

    async def _message(self, complaints: Sequence[Complaint]) -> str:
        said = [
            f"no weight moves, because the pods of {self._version} do not become ready:",
            *(f"pod {each.pod}{_of(each)}: {each.reason}" for each in complaints[:NAMED]),
        ]
        for each in [each for each in complaints if each.ran][:1]:
            said += [f"the log of {each.container} ends:", *(f"  {line}" for line in await self._log(each))]
        namespace = self._kubectl.namespace
        where = f"pod/{complaints[0].pod}" if complaints else f"deployment/{self._name}"
        return "\n".join([*said, f"more: kubectl describe {where} --namespace {namespace}"])

    async def _log(self, of: Complaint) -> list[str]:
        words = ("logs", of.pod, f"--container={of.container}", f"--tail={LOG_LINES}")
        try:
            said = await self._kubectl(*words, *(("--previous",) if of.died else ()))
        except KubectlError as error:
            return [str(error)]
        return said.splitlines() or ["(it has written nothing)"]


async def watch(look: Callable[[], Awaitable[Rollout]], limit: float) -> Sequence[Complaint] | None:
    """Look until the rollout is done, which is None; or until it is in vain: then the complaints.

    Args:
        look: how to look at it.
        limit: seconds in which no further pod became ready.
    """
    ready, grown = 0, time.monotonic()
    since: Mapping[tuple[str, str], float] = {}
    while True:
        now = await look()
        moment = time.monotonic()
        if now.done:
            return None
        if now.ready > ready:
            ready, grown = now.ready, moment
        serious = [each for each in now.complaints if each.patience is not None]
        since = {key: since.get(key, moment) for key in map(_key, serious)}
        final = [each for each in serious if moment - since[_key(each)] >= (each.patience or 0)]
        if final or moment - grown > limit:
            return final or now.complaints
        await asyncio.sleep(PAUSE_SECONDS)


def _key(complaint: Complaint) -> tuple[str, str]:
    return complaint.pod, complaint.container


def _of(complaint: Complaint) -> str:
    return f", container {complaint.container}" if complaint.container else ""
