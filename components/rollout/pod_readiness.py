"""A version's pods become ready, or the update stops and says why: as a hook around its Deployment."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import chain
from typing import Final

import pulumi

from components.manifests.labels import selector
from components.model.service import Service
from components.model.stack import Stack
from components.rollout.hooks import SharedHooks
from components.rollout.kubectl import Kubectl, KubectlError
from components.rollout.log_redaction import without_secrets
from components.rollout.rollout_status import DeploymentDeleted, Object, PodIssue, Rollout, rollout

PROVIDER_SECONDS: Final = 100
"""How long the provider waits by itself: it looks at no log, and knows no reason to stop earlier.

Longer than most rollouts take. For slower ones it is asked again once the pods are ready; but Pulumi's state
keeps its complaint then, and the next preview shows an update of the Deployment that changes nothing.
"""

LIMIT_SECONDS: Final = 300.0
"""How long no further pod may become ready, where none says that it never will."""

KINDS: Final = ("deployments", "replicasets", "pods")
PAUSE_SECONDS: Final = 1.0
LOG_LINES: Final = 10
NAMED: Final = 3
"""How many complaints a message names."""


class Readiness:
    """Looks at the pods of one version's Deployment where they are not ready in time."""

    def __init__(self, service: Service, version: str, stack: Stack, hooks: SharedHooks) -> None:
        self._name, self._version, self._hooks = service.workload(version), version, hooks
        self._labels = selector(service.app, version)
        self._fewest = service.versions[version].fewest
        scaled = service.versions[version].autoscaling is not None
        self._kinds = ",".join((*KINDS, *(("horizontalpodautoscalers",) if scaled else ())))
        self._kubectl = Kubectl(context=stack.cluster.context, namespace=stack.namespace.name)
        self.failure = ""
        """Why the pods of this update do not become ready, where the provider took them for ready."""

    @property
    def after_update(self) -> pulumi.ResourceHook:
        """For the Deployment."""
        return self._hooks.of("pods-updated", self._name, self._updated)

    @property
    def on_error(self) -> pulumi.ErrorHook:
        """For the Deployment, whose timeouts are to be the provider's share of the wait."""
        return self._hooks.on_error("pods-unready", self._name, self._unready)

    async def pod_issue(self) -> str:
        """Wait until the rollout is done, which is no complaint, or until it is in vain.

        Raises:
            KubectlError: nobody here can see the pods.
        """
        return await self._pod_issue(None)

    async def shortage(self) -> str:
        """Wait until none but new pods are there and as many of them are available as the stack declares.

        An autoscaler may want more, and has not raised a new Deployment to its `min` yet.

        Returns:
            Why that is in vain; empty where it is so.

        Raises:
            KubectlError: the pods cannot be seen from here.
        """
        return await self._pod_issue(self._fewest)

    async def _pod_issue(self, fewest: int | None) -> str:
        try:
            pod_issues = await watch(lambda: self._sample(fewest), LIMIT_SECONDS)
        except DeploymentDeleted:
            return self._gone
        return "" if pod_issues is None else await self._message(pod_issues)

    @property
    def _gone(self) -> str:
        return (
            f"no weight moves, because somebody deleted Deployment {self._name} of namespace "
            f"{self._kubectl.namespace} while its pods were waited for; to make it again: "
            "`pulumi up --refresh --run-program`"
        )

    async def _updated(self, _args: pulumi.ResourceHookArgs) -> None:
        """Wait for what the provider may have missed; whoever moves weights has to look at the failure.

        On a busy cluster it takes the first ready pod for all: for a moment the ReplicaSet wants no more, and
        the Deployment still says that its last rollout is done.
        """
        try:
            self.failure = await self.pod_issue()
        except KubectlError as error:
            pulumi.log.debug(str(error))
        except Exception as error:
            # The engine only warns of a hook that fails: without this note weights would move all the same.
            self.failure = f"no weight moves, because the pods of {self._version} cannot be judged: {error!r}"
            raise

    async def _unready(self, args: pulumi.ErrorHookArgs) -> bool:
        """Tell the engine to ask the provider again: the pods are ready now, or cannot be seen from here.

        What the provider says is prose. A rollout that is not done shows that it gave up on pods, and was not
        refused by the API server.
        """
        if args.failed_operation == "delete":
            return False
        tries = len(args.errors)
        try:
            if (await self._sample(None)).done:
                # It got done while the provider gave up, or nothing was written: once more tells which.
                return tries == 1
            pulumi.log.info(f"waiting for the pods of {self._version}, for as long as there is hope")
            said = await self.pod_issue()
        except DeploymentDeleted:
            # One that was to be created may have been refused: then the provider has said all.
            if args.failed_operation == "update":
                pulumi.log.error(self._gone)
            return False
        except KubectlError as error:
            pulumi.log.warn(f"the pods of {self._version} cannot be looked at: {error}")
            return tries * PROVIDER_SECONDS < LIMIT_SECONDS
        if said:
            pulumi.log.error(said)
        return not said

    async def _sample(self, fewest: int | None) -> Rollout:
        selector = ",".join(f"{key}={value}" for key, value in self._labels.items())
        objects = await self._list(self._kinds, f"--selector={selector}")
        found = rollout(objects, self._name, fewest)
        # What the kubelet says of probes concerns containers that run, or ran.
        pods = dict.fromkeys(each.pod for each in found.pod_issues if each.ran)
        events = await asyncio.gather(
            *(self._list("events", f"--field-selector=involvedObject.name={pod}") for pod in [*pods][:NAMED])
        )
        return rollout([*objects, *chain(*events)], self._name, fewest) if pods else found

    async def _list(self, kinds: str, selector: str) -> list[Object]:
        items: list[Object] = json.loads(await self._kubectl("get", kinds, selector, "--output=json"))[
            "items"
        ]
        return items

    async def _message(self, pod_issues: Sequence[PodIssue]) -> str:
        short = any(not each.pod for each in pod_issues)
        why = (
            f"{self._version} has fewer pods than declared"
            if short
            else f"the pods of {self._version} do not become ready"
        )
        said = [
            f"no weight moves, because {why}:",
            *(f"{self._where(each)}: {each.reason}" for each in pod_issues[:NAMED]),
        ]
        for each in [each for each in pod_issues if each.ran][:1]:
            said += [f"the log of {each.container} ends:", *(f"  {line}" for line in await self._log(each))]
        namespace = self._kubectl.namespace
        pod = pod_issues[0].pod if pod_issues else ""
        where = f"pod/{pod}" if pod else f"deployment/{self._name}"
        return "\n".join([*said, f"more: kubectl describe {where} --namespace {namespace}"])

    def _where(self, pod_issue: PodIssue) -> str:
        if not pod_issue.pod:
            return f"Deployment {self._name}"
        container = f", container {pod_issue.container}" if pod_issue.container else ""
        return f"pod {pod_issue.pod}{container}"

    async def _log(self, of: PodIssue) -> list[str]:
        words = ("logs", of.pod, f"--container={of.container}", f"--tail={LOG_LINES}")
        try:
            said = await self._kubectl(*words, *(("--previous",) if of.died else ()))
        except KubectlError as error:
            return [str(error)]
        return without_secrets(said).splitlines() or ["(it has written nothing)"]


async def watch(sample: Callable[[], Awaitable[Rollout]], limit: float) -> Sequence[PodIssue] | None:
    """Look until the rollout is done, which is None; or until it is in vain: then the complaints.

    Args:
        sample: how to look at it.
        limit: seconds in which no further pod became ready.
    """
    ready, grown = 0, time.monotonic()
    since: Mapping[tuple[str, str], float] = {}
    while True:
        now = await sample()
        moment = time.monotonic()
        if now.done:
            return None
        if now.ready > ready:
            ready, grown = now.ready, moment
        serious = [each for each in now.pod_issues if each.patience is not None]
        since = {key: since.get(key, moment) for key in map(_key, serious)}
        final = [each for each in serious if moment - since[_key(each)] >= (each.patience or 0)]
        if final or moment - grown > limit:
            return final or now.pod_issues
        await asyncio.sleep(PAUSE_SECONDS)


def _key(pod_issue: PodIssue) -> tuple[str, str]:
    return pod_issue.pod, pod_issue.container
