"""Puts objects back exactly, one by one, in the stack's own name."""

import time
from collections.abc import Callable, Sequence
from copy import deepcopy
from itertools import pairwise
from typing import Any, Final

from kubernetes.dynamic.exceptions import ConflictError, UnprocessibleEntityError

from operations.drift.field_ownership import APPLY, Owner, leaves
from operations.drift.objects import owned_by_others
from operations.drift.plan import Step, Verb
from operations.drift.platform_metadata import PlatformMetadata
from operations.drift.pod_diff import manual_labels
from operations.drift.state import StoredState
from operations.errors import OperationError
from operations.kube.cluster import Cluster, spelled
from operations.kube.fields import Item, Path
from operations.kube.manifests import Manifest
from operations.pulumi_stack.stack_identity import PULUMI

ReportLine = Callable[[str], None]

ATTEMPTS: Final = 5
"""Somebody else, an autoscaler perhaps, may change the object between our read and our write."""
ROLLOUT_SECONDS: Final = 300
"""As long as the program lets an update of a Deployment take."""
GONE_SECONDS: Final = 60
PROXIES_SECONDS: Final = 2
"""Proxies have a new route 25 to 104 ms after the API server took it (measured); what it left goes after."""


class Repairer:
    """Does the steps of a plan."""

    def __init__(self, cluster: Cluster, stamps: PlatformMetadata, report_line: ReportLine) -> None:
        self._cluster = cluster
        self._stamps = stamps
        self._tell = report_line

    def do(self, steps: Sequence[Step]) -> None:
        """Do all, and wait for pods before anything leads to them.

        Raises:
            OperationError: an object cannot be put back, or its pods do not become ready.
        """
        rolling: list[Manifest] = []
        routed = False
        for step in steps:
            is_rolling = step.manifest["kind"] == "Deployment" and step.verb is not Verb.DELETE
            if not is_rolling:
                self._settle(rolling)
            if routed and step.verb is Verb.DELETE:
                time.sleep(PROXIES_SECONDS)
                routed = False
            self._tell(str(step))
            self._step(step)
            routed = routed or step.verb is not Verb.DELETE
            rolling += [step.manifest] if is_rolling else []
        self._settle(rolling)

    def _step(self, step: Step) -> None:
        wanted = step.manifest
        if step.verb is Verb.DELETE:
            self._cluster.delete(wanted)
        elif step.verb is Verb.LABEL:
            self._label(wanted)
        elif step.verb is Verb.RENEW:
            now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            annotations = {"kubectl.kubernetes.io/restartedAt": now}
            self._cluster.patch(wanted, {"spec": {"template": {"metadata": {"annotations": annotations}}}})
        elif step.stored is not None:
            manager = step.stored.manager or PULUMI  # where the state knows no name of the stack's own
            if step.verb is Verb.MAKE:
                self._make(wanted, manager)
            else:
                self._restore(wanted, step.stored, manager)

    def _make(self, wanted: Manifest, manager: str) -> None:
        """Make an object; one that is on its way out is let go first."""
        live = self._cluster.read(wanted)
        if live is not None:
            if live["metadata"].get("finalizers"):
                self._cluster.patch(wanted, {"metadata": {"finalizers": None}})
            self._gone(wanted)
        self._cluster.apply(wanted, manager)

    def _restore(self, wanted: Manifest, stored: StoredState, manager: str) -> None:
        """Make the object what was declared and nothing more, owned by the stack and nobody else."""
        try:
            self._put(wanted, manager, lambda live: restored(wanted, live, stored, self._stamps, manager))
        except UnprocessibleEntityError:
            # A field that cannot be changed: it is another object under the same name. Its pods serve on.
            self._cluster.delete(wanted, and_what_it_owns=False)
            self._gone(wanted)
        self._cluster.apply(wanted, manager)
        self._put(wanted, manager, lambda live: _owned(wanted, live, manager))

    def _put(self, wanted: Manifest, manager: str, change: Callable[[Manifest], Manifest]) -> None:
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
            f"{spelled(wanted)} is changed by somebody else again and again",
            fix="find who writes it: python -m operations drift shows the manager; then --fix again",
        )

    def _gone(self, wanted: Manifest) -> None:
        deadline = time.monotonic() + GONE_SECONDS
        while self._cluster.read(wanted) is not None:
            if time.monotonic() > deadline:
                raise OperationError(
                    f"{spelled(wanted)} is being deleted and does not go",
                    fix=f"look what holds it: kubectl --context {self._cluster.context} get "
                    f"{wanted['kind'].lower()} {wanted['metadata']['name']} --all-namespaces --output yaml",
                )
            time.sleep(0.2)

    def _label(self, pod: Manifest) -> None:
        """Give a pod the labels of its ReplicaSet, no other owner and no finalizer."""
        owner = next(each for each in pod["metadata"]["ownerReferences"] if each.get("controller"))
        sought = {"apiVersion": owner["apiVersion"], "kind": owner["kind"]}
        sets = self._cluster.read({**sought, "metadata": {**pod["metadata"], "name": owner["name"]}})
        if sets is None:
            return  # the pod goes with it
        wanted = sets["spec"]["template"]["metadata"]["labels"]
        labels = {**dict.fromkeys(manual_labels(pod, wanted)), **wanted}
        metadata = {"labels": labels, "finalizers": None, "ownerReferences": [owner]}
        self._cluster.patch(pod, {"metadata": metadata})

    def _settle(self, rolling: list[Manifest]) -> None:
        """Wait until the pods of some Deployments are those that it declares, and ready."""
        deadline = time.monotonic() + ROLLOUT_SECONDS
        while rolling:
            status = self._cluster.read(rolling[0]) or {}
            if _is_rolled_out(status):
                rolling.pop(0)
                continue
            if time.monotonic() > deadline:
                name, namespace = rolling[0]["metadata"]["name"], rolling[0]["metadata"]["namespace"]
                raise OperationError(
                    f"the pods of Deployment {name} did not become ready in {ROLLOUT_SECONDS} s; "
                    "what comes after them was left as it is",
                    fix=f"kubectl --context {self._cluster.context} describe pods --namespace {namespace}, "
                    "mend what it says, then --fix again: it goes on from here",
                )
            time.sleep(0.5)


def restored(
    wanted: Manifest, live: Manifest, stored: StoredState, stamps: PlatformMetadata, manager: str
) -> Manifest:
    """Write what is declared, with what the API server and controllers have written, over a live object."""
    body = deepcopy(wanted)
    for each in owned_by_others(wanted, live, stored, stamps):
        _set(body, each.path, each.live)
    own = {key: live["metadata"][key] for key in ("uid", "resourceVersion")}
    notes = [each for each in live["metadata"].get("managedFields") or () if _stays(each, wanted, manager)]
    body["metadata"] |= {**own, **({"managedFields": notes} if notes else {})}
    return body


def _owned(wanted: Manifest, live: Manifest, manager: str) -> Manifest:
    """Leave the stack's own note, and those of controllers that write a subresource."""
    notes = [each for each in live["metadata"].get("managedFields") or () if _stays(each, wanted, manager)]
    return {**live, "metadata": {**live["metadata"], "managedFields": notes}}


def _stays(entry: dict[str, Any], wanted: Manifest, manager: str) -> bool:
    if entry.get("subresource"):
        # An autoscaler's note of a count that is not declared stays, a hand's of one that is goes.
        owner = Owner(entry)
        return not any(owner.owns(path) for path in leaves({"spec": wanted.get("spec") or {}}))
    return (entry.get("manager"), entry.get("operation")) == (manager, APPLY)


def _set(body: Any, path: Path, value: object) -> None:  # noqa: ANN401 (nested plain data)
    at = body
    for step, following in pairwise(path):
        if isinstance(step, Item):
            found = [each for each in at if _is_item(each, step)]
            if not found:
                return  # of an item that is not declared nothing is kept
            at = found[0]
        else:
            at = at.setdefault(step, [] if isinstance(following, Item) else {})
    if isinstance(path[-1], Item):
        at.append(value)
    else:
        at[path[-1]] = value


def _is_item(item: Any, step: Item) -> bool:  # noqa: ANN401 (nested plain data)
    return isinstance(item, dict) and any(
        item.get(key) == step.value.get(key) is not None
        for key in ("name", "mountPath", "containerPort", "port")
    )


def _is_rolled_out(live: Manifest) -> bool:
    if not live:
        return False
    status, spec = live.get("status") or {}, live["spec"]
    count = spec.get("replicas", 1)
    return bool(
        status.get("observedGeneration", 0) >= live["metadata"]["generation"]
        and all(status.get(key, 0) == count for key in ("replicas", "updatedReplicas", "availableReplicas"))
    )
