"""Evaluates a Deployment's rollout from its ReplicaSets, pods and events. Pure: no Pulumi, no cluster."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

Object = Mapping[str, Any]

HOPELESS: Final = {
    "ErrImageNeverPull", "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "RegistryUnavailable",
    "CreateContainerConfigError", "CreateContainerError", "RunContainerError", "CrashLoopBackOff",
}  # fmt: skip
"""The kubelet's reasons for a container that it cannot run and retries."""

USUAL: Final = {"ContainerCreating", "PodInitializing"}

AGAIN_SECONDS: Final = 10.0
"""How long such a reason must last before the rollout fails: a registry or database may fail briefly."""

READY_SECONDS: Final = 60.0
"""How long a container may need to become ready after its startup probe has succeeded."""

SOME_LINES: Final = 3


class DeploymentDeleted(Exception):
    """The Deployment does not exist."""


@dataclass(frozen=True, kw_only=True)
class PodIssue:
    """The reason why a pod is not ready or does not exist."""

    pod: str = ""
    """Empty if the Deployment wants too few pods."""
    container: str = ""
    """Empty if the pod is not scheduled."""
    reason: str
    patience: float | None = None
    """The seconds after which the rollout has failed; None: no limit."""
    ran: bool = False
    """Whether the container has run, and so has a log."""
    died: bool = False
    """Whether that log is of its previous instance."""


@dataclass(frozen=True, kw_only=True)
class Rollout:
    """The state of a Deployment's rollout at one moment."""

    done: bool
    ready: int
    wanted: int
    pod_issues: Sequence[PodIssue]


def rollout(objects: Sequence[Object], name: str, fewest: int | None = None) -> Rollout:
    """Return the state of a rollout.

    Args:
        objects: the listed objects with the labels of the Deployment's pods, and the events of the pods.
        name: the name of the Deployment.
        fewest: the number of available pods that is enough; None: as many as the Deployment wants.

    Raises:
        DeploymentDeleted: the Deployment is not among the objects.
    """
    deployment = next((each for each in _of_kind(objects, "Deployment") if _name(each) == name), None)
    if deployment is None:
        raise DeploymentDeleted
    status, wanted = deployment.get("status", {}), deployment["spec"].get("replicas", 1)
    all_pods, updated, available = (
        status.get(key, 0) for key in ("replicas", "updatedReplicas", "availableReplicas")
    )
    enough = available >= fewest if fewest is not None else available == updated == wanted
    seen = status.get("observedGeneration", 0) >= deployment["metadata"]["generation"]
    newest = _newest(objects, deployment)
    pods = [each for each in _of_kind(objects, "Pod") if newest in _owners(each)]
    return Rollout(
        done=seen and all_pods == updated and enough,
        ready=sum(_is_ready(pod) for pod in pods),
        wanted=wanted,
        pod_issues=[
            *_too_few(objects, name, wanted, fewest or 0),
            *(found for pod in pods if not _is_ready(pod) for found in _pod_issues(pod, objects)),
        ],
    )


def _too_few(objects: Sequence[Object], name: str, wanted: int, fewest: int) -> Iterator[PodIssue]:
    """Explain why a Deployment wants too few pods: its autoscaler is slow, or it has none."""
    if wanted >= fewest:
        return
    scaler = next(
        (each for each in _of_kind(objects, "HorizontalPodAutoscaler") if _name(each) == name), None
    )
    if scaler is None:
        reason = (
            f"it is scaled to {wanted} of the {fewest} declared pods; "
            "`pulumi up --refresh --run-program` restores the number"
        )
        yield PodIssue(reason=reason, patience=AGAIN_SECONDS)
        return
    failing = [each for each in scaler.get("status", {}).get("conditions", ()) if each["status"] == "False"]
    conditions = (f"{each.get('reason', '')}: {each.get('message', '')}" for each in failing)
    disabled = any(each.get("reason") == "ScalingDisabled" for each in failing)
    yield PodIssue(
        reason="; ".join(
            [
                f"its autoscaler has not scaled it from {wanted} to {fewest} pods",
                *conditions,
                f"see kubectl describe horizontalpodautoscaler {name}",
            ]
        ),
        patience=AGAIN_SECONDS if disabled else None,
    )


def _of_kind(objects: Sequence[Object], kind: str) -> list[Object]:
    return [each for each in objects if each["kind"] == kind]


def _name(of: Object) -> str:
    return str(of["metadata"]["name"])


def _newest(objects: Sequence[Object], deployment: Object) -> str:
    """Return the uid of the ReplicaSet that the Deployment rolls out."""
    own = [each for each in _of_kind(objects, "ReplicaSet") if deployment["metadata"]["uid"] in _owners(each)]
    newest = max(own, key=_revision, default={"metadata": {"uid": ""}})
    return str(newest["metadata"]["uid"])


def _revision(replica_set: Object) -> int:
    """Return the revision of a ReplicaSet; the controller sets it a moment after creation, 0 before."""
    return int(replica_set["metadata"].get("annotations", {}).get("deployment.kubernetes.io/revision", 0))


def _owners(of: Object) -> set[str]:
    return {owner["uid"] for owner in of["metadata"].get("ownerReferences", ())}


def _is_ready(pod: Object) -> bool:
    return any(
        each["type"] == "Ready" and each["status"] == "True"
        for each in pod.get("status", {}).get("conditions", ())
    )


def _pod_issues(pod: Object, objects: Sequence[Object]) -> Iterator[PodIssue]:
    name, status = _name(pod), pod.get("status", {})
    for each in status.get("conditions", ()):
        if each["type"] == "PodScheduled" and each["status"] == "False":
            yield PodIssue(pod=name, reason=f"{each.get('reason')}: {each.get('message')}")
    for each in (*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())):
        of_container = pod["metadata"]["uid"], f"{{{each['name']}}}"
        if not each["ready"] and (found := _pod_issue(name, each, _of_probes(*of_container, objects))):
            yield found


def _pod_issue(pod: str, status: Object, probes: Sequence[str]) -> PodIssue | None:
    container, restarts, state = status["name"], status["restartCount"], status.get("state", {})
    waits = state.get("waiting")
    died = "running" not in state and bool(status.get("lastState"))
    if waits is not None and waits.get("reason") in USUAL and not restarts:
        return None
    if waits is not None:
        # Both fields are optional.
        reason = ": ".join(filter(None, (waits.get("reason"), waits.get("message")))) or "it is waiting"
        patience = AGAIN_SECONDS if waits.get("reason") in HOPELESS else None
    elif restarts:
        # The kubelet has restarted it after the time limit of its startup probe.
        spent = any("failed startup probe" in each for each in probes)
        reason, patience = f"restarts: {restarts}", AGAIN_SECONDS if spent else READY_SECONDS
    elif status.get("started"):
        reason, patience = "it has started but is not ready", READY_SECONDS
    else:
        reason, patience = "it has not started", None
    return PodIssue(
        pod=pod,
        container=container,
        reason="; ".join(filter(None, (reason, _ended(status), *probes))),
        patience=patience,
        ran=bool(restarts) or "running" in state or died,
        died=died,
    )


def _ended(status: Object) -> str:
    end = status.get("lastState", {}).get("terminated") or status.get("state", {}).get("terminated")
    if not end:
        return ""
    return f"it ended with {end['exitCode']}" + (f" ({end['reason']})" if end.get("reason") else "")


def _of_probes(uid: str, field: str, objects: Sequence[Object]) -> list[str]:
    """Return the kubelet's latest events about a container's probes."""
    messages = (
        each["message"]
        for each in _of_kind(objects, "Event")
        if each["involvedObject"].get("uid") == uid
        and each["involvedObject"].get("fieldPath", "").endswith(field)
        and " probe" in each.get("message", "")
    )
    return list(dict.fromkeys(messages))[-SOME_LINES:]
