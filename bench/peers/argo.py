"""Argo Rollouts."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.kubectl import apply, kubectl
from bench.peers.app import APP, HOLD_SECONDS, PROMOTED, ROLLED_BACK, STEPS, Tool, declared, pods
from bench.peers.copies import deleted, document, is_, live, until
from bench.peers.programs import ARGO
from operations.kube.manifests import Manifest

NAMESPACE: Final = "bench-peers-argo"
KIND: Final = "rollouts.argoproj.io"


@contextmanager
def argo(folder: Path) -> Iterator[Tool]:
    """A Rollout with v1; at the end nothing of it is left."""
    v1 = declared(folder, NAMESPACE)
    rollout, *others = document("argo.yaml", NAMESPACE)
    rollout["spec"]["template"] = pods(v1, "v1")
    rollout["spec"]["strategy"]["canary"]["steps"] = [step for weight in STEPS for step in stepped(weight)]
    kept = [each for each in v1 if is_(each, "Namespace", "Gateway", "ServiceAccount", "Service")]
    with deleted(NAMESPACE):
        apply([*kept, *others, rollout])
        until("the Rollout has its pods", lambda: _phase() == "Healthy")

        def release(env: Mapping[str, str]) -> Callable[[], str | None]:
            v2 = pods(declared(folder, NAMESPACE, env), "v2")
            before = live(KIND, NAMESPACE)["status"]["currentPodHash"]
            change = json.dumps({"spec": {"template": v2}})
            kubectl("patch", KIND, APP, f"--namespace={NAMESPACE}", "--type=merge", f"--patch={change}")
            return lambda: _ended(before)

        yield Tool(name=ARGO.name, namespace=NAMESPACE, release=release)


def stepped(weight: int) -> list[Manifest]:
    """Write one step: the weight, the time, and one look at it."""
    return [
        {"setWeight": weight},
        {"pause": {"duration": f"{HOLD_SECONDS}s"}},
        {"analysis": {"templates": [{"templateName": "success-rate"}]}},
    ]


def _phase() -> str | None:
    """Say what the controller makes of the Rollout as it is now; None where it has not looked yet."""
    rollout = live(KIND, NAMESPACE)
    status = rollout.get("status", {})
    is_new = status.get("observedGeneration") == str(rollout["metadata"]["generation"])
    return str(status.get("phase")) if is_new else None


def _ended(before: str) -> str | None:
    phase, status = _phase(), live(KIND, NAMESPACE)["status"]
    if status["currentPodHash"] == before:
        return None
    if phase == "Healthy" and status["stableRS"] == status["currentPodHash"]:
        return PROMOTED
    return ROLLED_BACK if phase == "Degraded" and status.get("abort") else None
