"""The service that all three tools release: one plan, and one set of pods."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from bench.changes import APP as SETTINGS
from bench.changes import base
from bench.commands import Manifest
from bench.stack import Stack

APP: Final = str(SETTINGS["name"])
RATE: Final = 200
STEPS: Final = (10, 30, 100)
"""Percent for the new version."""
HOLD_SECONDS: Final = 10
"""The analysis of each step: one check at its end, of as many seconds. Flagger has no shorter interval."""
LEAST: Final = 99
"""The success rate that must hold, in percent."""
PROMETHEUS: Final = "http://prometheus.istio-system:9090"
"""The platform's, as a pod reaches it."""
PROMOTED, ROLLED_BACK = "promoted", "rolled back"


def settings(namespace: str, env: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the stack file of a copy, with v2 where its variables are given."""
    v1 = {"tag": "42", "replicas": 2}
    versions = {"v1": v1} if env is None else {"v1": v1, "v2": {"tag": "43", "replicas": 2, "env": dict(env)}}
    return base(namespace) | {
        "versions": versions,
        "weights": {each: 100 if each == "v1" else 0 for each in versions},
        "canary": {
            "steps": list(STEPS),
            "hold": f"{HOLD_SECONDS}s",
            "interval": f"{HOLD_SECONDS}s",
            "checks": [{"successRate": {"atLeast": LEAST}}],
            "allowedFailures": 0,
            "warmUp": "0s",  # the others have none
        },
        "metrics": {"prometheus": "istio-system/prometheus:9090"},
    }


def declared(folder: Path, namespace: str, env: Mapping[str, str] | None = None) -> list[Manifest]:
    """Return the objects that this program makes of such a stack file."""
    return Stack.at(folder, namespace, settings(namespace, env)).manifests()


def pods(objects: list[Manifest], version: str) -> Manifest:
    """Return the pod template of a version's Deployment."""
    deployments = (each for each in objects if each["kind"] == "Deployment")
    return next(
        each["spec"]["template"] for each in deployments if each["metadata"]["name"] == f"{APP}-{version}"
    )
