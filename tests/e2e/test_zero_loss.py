"""Under a constant load through the ingress and from the mesh, no change loses a request.

Each change is done and undone once; LOSS_ROUNDS=10 says more often. The machine must have the room: where the
rate is not held, the test fails and says so.
"""

import os
from collections.abc import Iterator

import pytest

from bench import load
from bench.changes import CHANGES, base, make, settle
from tests.e2e.conftest import Stack, stacks_in

ROUNDS = int(os.environ.get("LOSS_ROUNDS", "1"))
RATE = 1000
"""Requests a second through the ingress."""
MESH_RATE = int(os.environ.get("LOSS_MESH_RATE", "300"))
"""Requests a second from the mesh: 1,000 from both sides are more than two cores can ask and answer."""

NAMESPACE = "e2e-zero-loss"


@pytest.fixture(scope="module")
def stack(_lab_is_up: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Two versions under traffic, and a caller in the mesh."""
    with stacks_in(tmp_path_factory.mktemp("zero-loss")) as make:
        made = make("zero-loss", **base(NAMESPACE))
        made.up()
        with load.client(NAMESPACE):
            yield made


@pytest.mark.parametrize("change", CHANGES)
def test_no_request_is_lost(stack: Stack, change: str) -> None:
    """Neither through the ingress nor in the mesh, and the rate was held."""

    def happens() -> None:
        for _ in range(ROUNDS):
            make(change, stack)
            settle(stack)

    reports, flags = load.both_ways(NAMESPACE, happens, ingress=RATE, mesh=MESH_RATE)
    for name, rate, report in zip(("ingress", "mesh"), (RATE, MESH_RATE), reports, strict=True):
        assert not report.failed, (
            f"{name}: {report.failed} of {report.requests}; {flags}; {report.failures[:5]}"
        )
        assert report.rate > rate * load.HELD, f"{name}: only {report.rate:.0f} requests a second were asked"
        assert report.answers.keys() <= {"v1", "v2", "v3"}
