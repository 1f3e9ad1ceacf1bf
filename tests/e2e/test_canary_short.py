"""The canary in a minute: a bad version is taken back, its mended one promoted. `canary/` has the rest."""

from pathlib import Path
from typing import Any, Final

from tests.e2e.canaries import Canary
from tests.e2e.canary.proof import PROMOTED, ROLLED_BACK, Users, at_most, promoted
from tests.e2e.canary.setup import settings
from tests.e2e.conftest import MakeStack, lab

NAME: Final = "e2e-canary-short"
HOST: Final = f"{NAME}.example.com"
V1: Final = {"tag": "42"}
V2: Final = {"tag": "43"}
PLAN: Final[dict[str, Any]] = {
    "steps": [20],
    "hold": "2s",
    "interval": "2s",
    "warmUp": "1s",
    "minRequests": 20,
    "allowedFailures": 0,
    "checks": [{"successRate": {"atLeast": 99}}],
}
"""20 % and everything, each watched for 2 s."""


def test_a_bad_version_is_taken_back_and_its_mended_one_promoted(
    new_stack: MakeStack, tmp_path: Path
) -> None:
    """Under load: no request fails but what the bad one answered, and no more than its share met it."""
    lab("metrics")
    fails = {"v1": V1, "v2": {**V2, "env": {"FAILURE_PERCENT": "50"}}}
    own = {"namespace": {"name": NAME}, "gateway": {"hosts": [HOST]}, "canary": PLAN}
    stack = new_stack(NAME, **settings() | own | {"versions": fails, "weights": {"v1": 100, "v2": 0}})
    stack.up()
    canary = Canary(stack=stack, home=tmp_path)
    with Users(HOST) as users:
        run = canary.begins()
        assert run.ends() == ROLLED_BACK, run.said
        assert stack.config["weights"] == stack.outputs()["weights"] == {"v1": 100, "v2": 0}
    assert canary.report["why"].startswith("success rate")
    assert at_most(users, 20), f"{users.saw_v2} of {users.requests}"
    assert users.failed_by_v2
    assert users.lost == []
    stack.configure(versions={"v1": V1, "v2": V2})
    with Users(HOST) as users:
        run = canary.begins()
        assert run.ends() == PROMOTED, run.said
    promoted(stack)
    assert (users.lost, users.failed_by_v2) == ([], 0)
