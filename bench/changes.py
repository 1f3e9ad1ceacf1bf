"""The catalogue of changes that a team makes under traffic: bench/changes.yaml."""

import time
from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any, Final, Protocol

import yaml

from bench.commands import kubectl, run

WEIGHTLESS: Final = "weightless"
"""The name with which the version of weight 0 answers: it must not answer."""
ENDING_SECONDS: Final = 60


class Stack(Protocol):
    """A stack whose file can be changed and deployed."""

    @property
    def namespace(self) -> str:
        """The namespace that its stack file names."""

    def configure(self, **settings: object) -> None:
        """Set keys of the stack file; None removes one."""

    def up(self) -> object:
        """`pulumi up`."""


@cache
def _catalogue(namespace: str) -> Mapping[str, Any]:
    text = Path(__file__).with_suffix(".yaml").read_text()
    document: Mapping[str, Any] = yaml.safe_load(text.replace("NAMESPACE", namespace))
    return document


CHANGES: Final = tuple(_catalogue("any")["changes"])
"""Names of all changes."""
APP: Final = deepcopy(_catalogue("any")["base"]["app"])
V1, V2 = deepcopy(_catalogue("any")["base"]["versions"]).values()


def base(namespace: str) -> dict[str, Any]:
    """Return the stack file that the changes start from and return to."""
    settings: dict[str, Any] = deepcopy(_catalogue(namespace)["base"])
    return settings


def make(change: str, stack: Stack) -> None:
    """Make a change and unmake it."""
    for step in _catalogue(stack.namespace)["changes"][change]:
        if isinstance(step, str):
            run("bash", "-ec", step)
        else:
            stack.configure(**step)
            stack.up()


def settle(stack: Stack) -> None:
    """Wait until every pod is new and ready, and the old ones have answered their last request."""
    where = f"--namespace={stack.namespace}"
    for deployment in kubectl("get", "deployments", where, "--output=name").split():
        kubectl("rollout", "status", deployment, where, "--timeout=180s")
    deadline = time.monotonic() + ENDING_SECONDS
    ending = "--output=jsonpath={.items[*].metadata.deletionTimestamp}"
    while kubectl("get", "pods", where, ending).strip():
        if time.monotonic() > deadline:
            message = f"pods of {stack.namespace} did not end within {ENDING_SECONDS} s"
            raise RuntimeError(message)
        time.sleep(1)
