"""What each canary of these tests begins with: one version that has everything, and a plan of seconds."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from bench.changes import APP
from tests.e2e.canaries import Canary
from tests.e2e.conftest import Stack

NAMESPACE: Final = f"e2e-canary{os.environ.get('CANARY_WORKER', '')}"
"""Of this run: several may be at work on one lab."""
HOST: Final = f"{NAMESPACE}.example.com"
V1: Final = {"tag": "42", "replicas": 2}
V2: Final = {"tag": "43", "replicas": 2}
WEIGHT_OF_V2: Final = (
    f"kubectl get virtualservice springbootapp -n {NAMESPACE} "
    "-o 'jsonpath={.spec.http[0].route[?(@.destination.subset==\"v2\")].weight}'"
)
"""The command that prints what v2 has in the cluster."""
STEP: Final = "step {}/3: "
"""Printed when a step's update begins."""
DEPLOYED: Final = "step 1/3 deployed"
"""Printed when the first step's analysis begins."""

PLAN: Final[Mapping[str, Any]] = {
    "steps": [10, 30],
    "hold": "8s",
    "interval": "4s",
    "warmUp": "2s",
    "minRequests": 30,
    "checks": [
        {"successRate": {"atLeast": 99}},
        {"latency": {"percentile": 90, "atMost": "400ms"}},
    ],
}
"""10 %, 30 % and everything, each watched for 8 s."""


def settings() -> dict[str, Any]:
    """One version has everything."""
    return {
        "namespace": {"name": NAMESPACE},
        "app": APP,
        "versions": {"v1": V1},
        "weights": {"v1": 100},
        "gateway": {"hosts": [HOST]},
        "ingress": {"address": "127.0.0.1"},
        "canary": dict(PLAN),
    }


def declare_v2(stack: Stack, plan: Mapping[str, Any] | None = None, **env: str) -> None:
    """Say in the stack file that there is a v2, and how it gets its traffic; nobody deploys it yet."""
    own = {"env": env} if env else {}
    stack.configure(
        versions={"v1": V1, "v2": {**V2, **own}},
        weights={"v1": 100, "v2": 0},
        canary={**PLAN, **(plan or {})},
    )


@contextmanager
def as_before_any(stack: Stack, home: Path) -> Iterator[Canary]:
    """Begin where v1 has everything and the stack knows no v2, and leave it so, whatever happened."""
    given = Canary(stack=stack, home=home)
    if stack.config["versions"] != {"v1": V1}:
        stack.configure(**settings())
        stack.up()
    yield given
    given.end()
    # What a test left in the middle of something is not the next one's.
    stack.configure(**settings())
    stack.pulumi("cancel --yes", check=False)
    stack.pulumi("up --yes --skip-preview --refresh --run-program")
