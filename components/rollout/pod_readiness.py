"""Waits until a version's pods are ready, or reports why they are not, in the hooks of its Deployment."""

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
"""The provider's timeout: it reads no log, and cannot detect a failed rollout earlier.

Longer than most rollouts take. For slower ones the provider is run again once the pods are ready; its error
then remains in Pulumi's state, and the next preview shows an update of the Deployment that changes nothing.
"""

LIMIT_SECONDS: Final = 300.0
"""The time without progress (a further ready pod) after which a rollout has failed."""

KINDS: Final = ("deployments", "replicasets", "pods")
PAUSE_SECONDS: Final = 1.0
LOG_LINES: Final = 10
NAMED: Final = 3
"""How many pod issues a message lists."""


class Readiness:
    """Waits for the pods of one version's Deployment if the provider's timeout was too short."""

    def __init__(self, service: Service, version: str, stack: Stack, hooks: SharedHooks) -> None:
        self._name, self._version, self._hooks = service.workload(version), version, hooks
        self._labels = selector(service.app, version)
        self._fewest = service.versions[version].fewest
        scaled = service.versions[version].autoscaling is not None
        self._kinds = ",".join((*KINDS, *(("horizontalpodautoscalers",) if scaled else ())))
        self._kubectl = Kubectl(context=stack.cluster.context, namespace=stack.namespace.name)
        self.failure = ""
        """Why the pods of this update do not become ready, although the provider reported success."""

    @property
    def after_update(self) -> pulumi.ResourceHook:
        """Return the hook after an update of the Deployment."""
        return self._hooks.of("pods-updated", self._name, self._updated)

    @property
    def on_error(self) -> pulumi.ErrorHook:
        """Return the error hook of the Deployment, whose timeouts must be `PROVIDER_SECONDS`."""
        return self._hooks.on_error("pods-unready", self._name, self._unready)

    async def rollout_failure(self) -> str:
        """Wait for the rollout. Returns why it failed; empty if it is complete.

        Raises:
            KubectlError: kubectl cannot read the pods.
        """
        return await self._wait(None)

    async def shortage(self) -> str:
        """Wait until all pods are new, and as many are available as the stack declares.

        An autoscaler may want more, and may not have scaled a new Deployment to its `min` yet.

        Returns:
            Why the wait failed; empty if the pods are available.

        Raises:
            KubectlError: kubectl cannot read the pods.
        """
        return await self._wait(self._fewest)

    async def _wait(self, fewest: int | None) -> str:
        try:
            pod_issues = await wait_for_rollout(lambda: self._sample(fewest), LIMIT_SECONDS)
        except DeploymentDeleted:
            return self._deleted
        return "" if pod_issues is None else await self._message(pod_issues)

    @property
    def _deleted(self) -> str:
        return (
            f"the weights are not changed, because Deployment {self._name} of namespace "
            f"{self._kubectl.namespace} was deleted during its rollout; to create it again: "
            "`pulumi up --refresh --run-program`"
        )

    async def _updated(self, _args: pulumi.ResourceHookArgs) -> None:
        """Wait for pods that the provider did not wait for, and record a failure for the hooks of the routes.

        On a busy cluster the provider stops at the first ready pod: for a moment the ReplicaSet wants no
        more, and the Deployment's status is still that of the last rollout.
        """
        try:
            self.failure = await self.rollout_failure()
        except KubectlError as error:
            pulumi.log.debug(str(error))
        except Exception as error:
            # The engine only warns about a failed hook, and would change the weights all the same.
            why = f"the pods of {self._version} could not be checked: {error!r}"
            self.failure = f"the weights are not changed, because {why}"
            raise

    async def _unready(self, args: pulumi.ErrorHookArgs) -> bool:
        """Return whether the engine runs the provider again: the pods are ready now, or cannot be read.

        The provider's error is prose. If the rollout is not complete, the provider timed out, and the API
        server did not refuse the Deployment.
        """
        if args.failed_operation == "delete":
            return False
        tries = len(args.errors)
        try:
            if (await self._sample(None)).done:
                # Either it completed as the provider timed out, or nothing was written: run it again.
                return tries == 1
            minutes = int(LIMIT_SECONDS // 60)
            pulumi.log.info(
                f"waiting for the {self._version} pods to become ready (up to {minutes} min without progress)"
            )
            why = await self.rollout_failure()
        except DeploymentDeleted:
            # A new Deployment may have been refused; then the provider reports the reason.
            if args.failed_operation == "update":
                pulumi.log.error(self._deleted)
            return False
        except KubectlError as error:
            pulumi.log.warn(f"the pods of {self._version} cannot be read: {error}")
            return tries * PROVIDER_SECONDS < LIMIT_SECONDS
        if why:
            pulumi.log.error(why)
        return not why

    async def _sample(self, fewest: int | None) -> Rollout:
        selector = ",".join(f"{key}={value}" for key, value in self._labels.items())
        objects = await self._list(self._kinds, f"--selector={selector}")
        found = rollout(objects, self._name, fewest)
        # The kubelet's events about probes concern containers that run, or ran.
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
        lines = [
            f"the weights are not changed, because {why}:",
            *(f"{self._where(each)}: {each.reason}" for each in pod_issues[:NAMED]),
        ]
        for each in [each for each in pod_issues if each.ran][:1]:
            lines += [f"the log of {each.container} ends:", *(f"  {line}" for line in await self._log(each))]
        namespace = self._kubectl.namespace
        pod = pod_issues[0].pod if pod_issues else ""
        where = f"pod/{pod}" if pod else f"deployment/{self._name}"
        return "\n".join([*lines, f"more: kubectl describe {where} --namespace {namespace}"])

    def _where(self, pod_issue: PodIssue) -> str:
        if not pod_issue.pod:
            return f"Deployment {self._name}"
        container = f", container {pod_issue.container}" if pod_issue.container else ""
        return f"pod {pod_issue.pod}{container}"

    async def _log(self, of: PodIssue) -> list[str]:
        words = ("logs", of.pod, f"--container={of.container}", f"--tail={LOG_LINES}")
        try:
            log = await self._kubectl(*words, *(("--previous",) if of.died else ()))
        except KubectlError as error:
            return [str(error)]
        return without_secrets(log).splitlines() or ["(the log is empty)"]


async def wait_for_rollout(
    sample: Callable[[], Awaitable[Rollout]], limit: float
) -> Sequence[PodIssue] | None:
    """Wait until the rollout is complete or has failed. Returns None, or the pod issues.

    Args:
        sample: reads the rollout.
        limit: seconds without a further ready pod after which it has failed.
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
