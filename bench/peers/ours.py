"""`python -m operations canary`."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from bench.peers.app import PROMOTED, ROLLED_BACK, Tool, settings
from bench.projects import make_program, pulumi, write_stack
from tests.e2e.canaries import Canary, Run
from tests.e2e.conftest import Shell, Stack

NAME: Final = "this program"
NAMESPACE: Final = "bench-peers"
ENDED: Final = {0: PROMOTED, 3: ROLLED_BACK}
"""By exit code."""


@contextmanager
def ours(folder: Path) -> Iterator[Tool]:
    """A stack with v1; at the end nothing of it is left."""
    make_program(folder)
    write_stack(folder, NAMESPACE, settings(NAMESPACE))
    pulumi(folder, "stack", "select", "--create", NAMESPACE)
    # Of its own each time: a canary that was stopped in the middle would want to be ended first.
    home = folder / "canaries"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    canary = Canary(stack=Stack(name=NAMESPACE, shell=Shell(folder=folder)), home=home)
    try:
        pulumi(folder, "up", "--yes", "--skip-preview", "--stack", NAMESPACE)

        def release(env: Mapping[str, str]) -> Callable[[], str | None]:
            write_stack(folder, NAMESPACE, settings(NAMESPACE, env=env))
            run = canary.begins()
            return lambda: _ended(run)

        yield Tool(name=NAME, namespace=NAMESPACE, release=release)
    finally:
        canary.end()
        with suppress(RuntimeError):  # no update runs, unless this one was stopped in the middle
            pulumi(folder, "cancel", "--yes", "--stack", NAMESPACE)
        pulumi(folder, "destroy", "--yes", "--skip-preview", "--stack", NAMESPACE)
        pulumi(folder, "stack", "rm", "--yes", "--preserve-config", NAMESPACE)


def _ended(run: Run) -> str | None:
    code = run.process.poll()
    return None if code is None else ENDED.get(code, f"exit code {code}")
