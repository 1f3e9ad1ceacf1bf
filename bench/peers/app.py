"""The service that all three release: one plan, one set of pods, one way to hand a new version over."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.projects import host, make_program, write_stack
from operations.kube.manifests import Manifest, manifests
from operations.pulumi_stack.program import declare
from operations.pulumi_stack.project import Project
from tests.e2e import changes

APP: Final = str(changes.APP["name"])
URL: Final = "http://127.0.0.1:31380/hello"
STEPS: Final = (10, 30, 100)
"""Percent for the new version."""
HOLD_SECONDS: Final = 10
"""The analysis of each step: one look at its end, at as many seconds. Flagger looks no more often."""
LEAST: Final = 99
"""The success rate that must hold, in percent."""
PROMETHEUS: Final = "http://prometheus.istio-system:9090"
"""The platform's, as a pod reaches it."""
BAD: Final[Mapping[str, str]] = {"FAILURE_PERCENT": "5"}
"""What makes an app answer one request in twenty with a 500."""

PROMOTED, ROLLED_BACK = "promoted", "rolled back"


@dataclass(frozen=True, kw_only=True)
class Tool:
    """What moves the weights, on a copy of the service where v1 has everything."""

    name: str
    namespace: str
    release: Callable[[Mapping[str, str]], Callable[[], str | None]]
    """Hands over a v2 whose pods have these variables; returns what tells how it ended, None until then."""

    @property
    def host(self) -> str:
        """The name that the copy is asked by."""
        return host(self.namespace)


def settings(namespace: str, *, env: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The stack file of a copy; with v2 where its variables are given."""
    v1: dict[str, Any] = {"tag": "42", "replicas": 2}
    v2 = {"tag": "43", "replicas": 2, "env": dict(env or {})}
    return {
        "namespace": {"name": namespace},
        "app": changes.APP,
        "versions": {"v1": v1} if env is None else {"v1": v1, "v2": v2},
        "weights": {"v1": 100} if env is None else {"v1": 100, "v2": 0},
        "gateway": {"hosts": [host(namespace)]},
        "ingress": {"address": "127.0.0.1"},
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
    """List the objects that this program makes of such a stack file."""
    make_program(folder)
    write_stack(folder, namespace, settings(namespace, env=env))
    return manifests(declare(Project.at(folder), namespace))


def pods(objects: Sequence[Manifest], version: str) -> Manifest:
    """Take the pods of a version: the template of its Deployment."""
    named = f"{APP}-{version}"
    (deployment,) = (
        each for each in objects if each["kind"] == "Deployment" and each["metadata"]["name"] == named
    )
    template: Manifest = deployment["spec"]["template"]
    return template
