"""Carry out the steps of a repair plan, under the stack's field manager."""

import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Final

from kubernetes.dynamic.exceptions import ConflictError, UnprocessibleEntityError

from components.rollout.rollout_status import rollout
from operations.drift.check import Declared
from operations.drift.plan import Step, Verb
from operations.drift.restored import owned, restored
from operations.drift.state import StoredState
from operations.errors import OperationError
from operations.kube.cluster import spelled
from operations.kube.manifests import Manifest
from operations.kube.proxies import synced
from operations.pulumi_stack.stack_identity import PULUMI

ReportLine = Callable[[str], None]

ROUTES: Final = ("VirtualService", "HTTPRoute")
ATTEMPTS: Final = 5
"""Another client, such as an autoscaler, may change the object between the read and the write."""
ROLLOUT_SECONDS: Final = 300
"""The time that an update by the program has for a rollout."""
GONE_SECONDS: Final = 60


class Repairer:
    """Carries out steps in one cluster."""

    def __init__(self, declared: Declared, report_line: ReportLine) -> None:
        self._cluster = declared.cluster
        self._handover = declared.handover
        self._ignored = declared.ignored
        self._report_line = report_line

    def do(self, steps: Sequence[Step]) -> None:
        """Carry out all steps; wait for pods before the next kind, and for proxies after the last route.

        Raises:
            OperationError: an object cannot be restored, or pods or proxies are not ready in time.
        """
        routed = max((nth for nth, each in enumerate(steps, 1) if each.manifest["kind"] in ROUTES), default=0)
        changes, rest = steps[:routed], steps[routed:]
        is_used = changes and any(each.verb is Verb.DELETE for each in rest)
        # What a previous route leads to is deleted when no proxy has that route.
        context = self._cluster.context
        with synced(context, self._handover, self._report_line) if is_used else nullcontext():
            self._do(changes)
        self._do(rest)

    def _do(self, steps: Sequence[Step]) -> None:
        rolling: list[Manifest] = []
        for step in steps:
            is_rolling = step.manifest["kind"] == "Deployment" and step.verb is not Verb.DELETE
            if not is_rolling:
                self._wait_for_rollouts(rolling)
            self._report_line(str(step))
            self._step(step)
            rolling += [step.manifest] if is_rolling else []
        self._wait_for_rollouts(rolling)

    def _step(self, step: Step) -> None:
        wanted = step.manifest
        if step.verb is Verb.DELETE:
            self._cluster.delete(wanted)
        elif step.verb is Verb.RESTART:
            now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            annotations = {"kubectl.kubernetes.io/restartedAt": now}
            self._cluster.patch(wanted, {"spec": {"template": {"metadata": {"annotations": annotations}}}})
        elif step.stored is not None:
            manager = step.stored.manager or PULUMI  # a state of an older provider has no manager
            if step.verb is Verb.CREATE:
                self._create(wanted, manager)
            else:
                self._restore(wanted, step.stored, manager)

    def _create(self, wanted: Manifest, manager: str) -> None:
        """Create an object, after the deletion of the previous one if that is blocked by a finalizer."""
        live = self._cluster.read(wanted)
        if live is not None:
            if live["metadata"].get("finalizers"):
                self._cluster.patch(wanted, {"metadata": {"finalizers": None}})
            self._wait_until_deleted(wanted)
        self._cluster.apply(wanted, manager)

    def _restore(self, wanted: Manifest, stored: StoredState, manager: str) -> None:
        """Restore exactly the declared fields, with the stack as their only owner."""
        try:
            self._replace(
                wanted, manager, lambda live: restored(wanted, live, stored, self._ignored, manager)
            )
        except UnprocessibleEntityError:
            # An immutable field differs: the object was created again. Its pods continue to serve.
            self._cluster.delete(wanted, and_what_it_owns=False)
            self._wait_until_deleted(wanted)
        self._cluster.apply(wanted, manager)
        self._replace(wanted, manager, lambda live: owned(wanted, live, manager))

    def _replace(self, wanted: Manifest, manager: str, change: Callable[[Manifest], Manifest]) -> None:
        for _ in range(ATTEMPTS):
            live = self._cluster.read(wanted)
            if live is None:
                return
            try:
                self._cluster.replace(change(live), manager)
            except ConflictError:
                continue
            return
        raise OperationError(
            f"{spelled(wanted)} could not be written: another client changed it {ATTEMPTS} times meanwhile",
            fix="stop that client (python -m operations drift shows its manager), then --fix again",
        )

    def _wait_until_deleted(self, wanted: Manifest) -> None:
        deadline = time.monotonic() + GONE_SECONDS
        while self._cluster.read(wanted) is not None:
            if time.monotonic() > deadline:
                raise OperationError(
                    f"{spelled(wanted)} is still being deleted after {GONE_SECONDS} s",
                    fix=f"see what blocks it: kubectl --context {self._cluster.context} get "
                    f"{wanted['kind'].lower()} {wanted['metadata']['name']} --all-namespaces --output yaml",
                )
            time.sleep(0.2)

    def _wait_for_rollouts(self, rolling: list[Manifest]) -> None:
        """Wait until the pods of some Deployments are up to date and available; empties the list."""
        deadline = time.monotonic() + ROLLOUT_SECONDS
        while rolling:
            name, namespace = rolling[0]["metadata"]["name"], rolling[0]["metadata"]["namespace"]
            live = self._cluster.read(rolling[0])
            if live is not None and rollout([live], name).done:
                rolling.pop(0)
                continue
            if time.monotonic() > deadline:
                raise OperationError(
                    f"the pods of Deployment {name} did not become ready in {ROLLOUT_SECONDS} s; the objects "
                    "that come after them were not changed",
                    fix=f"kubectl --context {self._cluster.context} describe pods --namespace {namespace}, "
                    "fix the cause, then --fix again: it resumes here",
                )
            time.sleep(0.5)
