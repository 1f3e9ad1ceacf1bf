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


class GoneError(Exception):
    """There is no Deployment any more."""


@dataclass(frozen=True, kw_only=True)
class Complaint:
    """Why one pod is not ready."""

    pod: str
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
    complaints: Sequence[Complaint]


def rollout(objects: Sequence[Object]) -> Rollout:
    """Read a Deployment, its ReplicaSets, pods and the pods' events, as kubectl lists them.

    Raises:
        GoneError: the Deployment is not among them.
    """
    deployment = next((each for each in objects if each["kind"] == "Deployment"), None)
    if deployment is None:
        raise GoneError
    spec, status = deployment["spec"], deployment.get("status", {})
    wanted = spec.get("replicas", 1)
    counts = [status.get(key, 0) for key in ("replicas", "updatedReplicas", "availableReplicas")]
    seen = status.get("observedGeneration", 0) >= deployment["metadata"]["generation"]
    newest = _newest(objects)
    pods = [each for each in objects if each["kind"] == "Pod" and newest in _owners(each)]
    return Rollout(
        done=seen and counts == [wanted] * len(counts),
        ready=sum(_is_ready(pod) for pod in pods),
        wanted=wanted,
        complaints=[found for pod in pods if not _is_ready(pod) for found in _complaints(pod, objects)],
    )


def _newest(objects: Sequence[Object]) -> str:
    """Name the ReplicaSet that the Deployment rolls out."""
    sets = [each["metadata"] for each in objects if each["kind"] == "ReplicaSet"]
    revision = "deployment.kubernetes.io/revision"
    newest = max(sets, key=lambda each: int(each["annotations"][revision]), default={"uid": ""})
    return str(newest["uid"])


def _owners(pod: Object) -> set[str]:
    return {owner["uid"] for owner in pod["metadata"].get("ownerReferences", ())}


def _is_ready(pod: Object) -> bool:
    return any(
        each["type"] == "Ready" and each["status"] == "True" for each in pod["status"].get("conditions", ())
    )


def _complaints(pod: Object, objects: Sequence[Object]) -> Iterator[Complaint]:
    name, status = pod["metadata"]["name"], pod["status"]
    for each in status.get("conditions", ()):
        if each["type"] == "PodScheduled" and each["status"] == "False":
            yield Complaint(pod=name, reason=f"{each.get('reason')}: {each.get('message')}")
    for each in (*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())):
        of_container = pod["metadata"]["uid"], f"{{{each['name']}}}"
        if not each["ready"] and (found := _complaint(name, each, _of_probes(*of_container, objects))):
            yield found


def _complaint(pod: str, status: Object, probes: Sequence[str]) -> Complaint | None:
    container, restarts = status["name"], status["restartCount"]
    waits = status["state"].get("waiting")
    died = "running" not in status["state"] and bool(status.get("lastState"))
    if waits and waits["reason"] in USUAL and not restarts:
        return None
    if waits:
        reason = ": ".join(filter(None, (waits["reason"], waits.get("message"))))
        patience = AGAIN_SECONDS if waits["reason"] in HOPELESS else None
    elif restarts:
        # The kubelet has given it all the time that its startup probe grants.
        spent = any("failed startup probe" in each for each in probes)
        reason, patience = f"restarts: {restarts}", AGAIN_SECONDS if spent else READY_SECONDS
    elif status.get("started"):
        reason, patience = "it has started and is not ready", READY_SECONDS
    else:
        reason, patience = "it has not started", None
    return Complaint(
        pod=pod,
        container=container,
        reason="; ".join(filter(None, (reason, _ended(status), *probes))),
        patience=patience,
        ran=bool(restarts) or "running" in status["state"] or died,
        died=died,
    )


def _ended(status: Object) -> str:
    end = status.get("lastState", {}).get("terminated") or status["state"].get("terminated")
    return f"it ended with {end['exitCode']} ({end['reason']})" if end else ""


def _of_probes(uid: str, field: str, objects: Sequence[Object]) -> list[str]:
    """Read what the kubelet says of a container's probes. Of all else the container's state says enough."""
    said = (
        each["message"]
        for each in objects
        if each["kind"] == "Event"
        and each["involvedObject"].get("uid") == uid
        and each["involvedObject"].get("fieldPath", "").endswith(field)
        and " probe" in each["message"]
    )
    return list(dict.fromkeys(said))[-SOME_LINES:]
