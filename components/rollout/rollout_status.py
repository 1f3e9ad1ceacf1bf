"""What a Deployment's objects say of a rollout that is not done. Pure: no Pulumi, no cluster."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

Object = Mapping[str, Any]

HOPELESS: Final = {
    "ErrImageNeverPull", "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "RegistryUnavailable",
    "CreateContainerConfigError", "CreateContainerError", "RunContainerError", "CrashLoopBackOff",
}  # fmt: skip
"""The kubelet's words for a container that it cannot run, and tries again and again."""

USUAL: Final = {"ContainerCreating", "PodInitializing"}

AGAIN_SECONDS: Final = 10.0
"""A registry or a database may stumble once. Who says the same so much later will go on saying it."""

READY_SECONDS: Final = 60.0
"""How long a container that has started, as its startup probe says, may need to become ready."""

SOME_LINES: Final = 3


class DeploymentDeleted(Exception):
    """There is no Deployment any more."""


@dataclass(frozen=True, kw_only=True)
class PodIssue:
    """Why one pod is not ready, or why there is none yet."""

    pod: str = ""
    """Empty where the Deployment does not want enough pods."""
    container: str = ""
    """Empty where the pod has no node yet."""
    reason: str
    patience: float | None = None
    """For how many seconds this may go on before waiting is in vain; None: as long as one likes."""
    ran: bool = False
    """Whether the container has run, and so has a log."""
    died: bool = False
    """Whether that log is its predecessor's."""


@dataclass(frozen=True, kw_only=True)
class Rollout:
    """One look at a Deployment with its pods."""

    done: bool
    ready: int
    wanted: int
    pod_issues: Sequence[PodIssue]


def rollout(objects: Sequence[Object], name: str, fewest: int | None = None) -> Rollout:
    """Read a Deployment, its ReplicaSets, pods and the pods' events, as kubectl lists them.

    Args:
        objects: what carries the labels of the Deployment's pods, whoever made it.
        name: the Deployment's.
        fewest: the number of available pods that is enough; None: as many as the Deployment wants.

    Raises:
        DeploymentDeleted: the Deployment is not among them.
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
    """Explain why a Deployment wants fewer pods than are enough: its autoscaler is slow, or there is none."""
    if wanted >= fewest:
        return
    scaler = next(
        (each for each in _of_kind(objects, "HorizontalPodAutoscaler") if _name(each) == name), None
    )
    if scaler is None:
        reason = (
            f"it is scaled to {wanted} of the {fewest} pods that the stack declares; "
            "`pulumi up --refresh --run-program` gives it all of them"
        )
        yield PodIssue(reason=reason, patience=AGAIN_SECONDS)
        return
    notes = [each for each in scaler.get("status", {}).get("conditions", ()) if each["status"] == "False"]
    said = (f"{each.get('reason', '')}: {each.get('message', '')}" for each in notes)
    disabled = any(each.get("reason") == "ScalingDisabled" for each in notes)
    yield PodIssue(
        reason="; ".join(
            [
                f"its autoscaler has not raised it from {wanted} to {fewest} pods",
                *said,
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
    """Return the uid of the ReplicaSet that the Deployment rolls out, of all with its labels."""
    own = [each for each in _of_kind(objects, "ReplicaSet") if deployment["metadata"]["uid"] in _owners(each)]
    newest = max(own, key=_revision, default={"metadata": {"uid": ""}})
    return str(newest["metadata"]["uid"])


def _revision(replica_set: Object) -> int:
    """Read which rollout it is of; the Deployment's controller writes it a moment after the ReplicaSet."""
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
        # The API lets both words away.
        reason = ": ".join(filter(None, (waits.get("reason"), waits.get("message")))) or "it waits to be run"
        patience = AGAIN_SECONDS if waits.get("reason") in HOPELESS else None
    elif restarts:
        # The kubelet has given it all the time that its startup probe grants.
        spent = any("failed startup probe" in each for each in probes)
        reason, patience = f"restarts: {restarts}", AGAIN_SECONDS if spent else READY_SECONDS
    elif status.get("started"):
        reason, patience = "it has started and is not ready", READY_SECONDS
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
    """Read what the kubelet says of a container's probes. Of all else the container's state says enough."""
    said = (
        each["message"]
        for each in _of_kind(objects, "Event")
        if each["involvedObject"].get("uid") == uid
        and each["involvedObject"].get("fieldPath", "").endswith(field)
        and " probe" in each.get("message", "")
    )
    return list(dict.fromkeys(said))[-SOME_LINES:]
