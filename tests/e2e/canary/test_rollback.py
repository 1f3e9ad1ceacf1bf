"""A bad version is taken back: by its errors, its slowness, its crash, or before it ever had traffic."""

from datetime import datetime

import pytest

from tests.e2e.canaries import Canary
from tests.e2e.canary.proof import RATE, ROLLED_BACK, Prove, Users, as_before, at_most
from tests.e2e.canary.setup import declare_v2

STARTING_SECONDS = 480
"""For the end of a canary whose new version never starts: two updates that wait for its pods."""


@pytest.mark.parametrize(
    ("env", "why"),
    [
        pytest.param({"FAILURE_PERCENT": "5"}, "success rate", id="5 % errors"),
        pytest.param({"RESPONSE_DELAY": "600ms"}, "p90", id="slow"),
    ],
)
def test_a_bad_version_is_taken_back(canary: Canary, prove: Prove, env: dict[str, str], why: str) -> None:
    """At its first step, whose share is the most that ever saw it; its pods go after the weights."""
    declare_v2(canary.stack, None, **env)
    with Users() as users:
        run = canary.begins()
        assert run.ends() == ROLLED_BACK, run.said
    prove(run, users)
    assert canary.report["why"].startswith(why)
    assert canary.weights == [10, 0]
    assert at_most(users, 10), f"{users.saw_v2} of {users.requests}"
    assert users.saw_v2
    assert users.lost == []
    as_before(canary.stack)


def test_a_version_that_crashes_at_30_percent_is_taken_back(canary: Canary, prove: Prove) -> None:
    """What fails is what was sent to it: from the crash until the weights are back."""
    steps = [10, {"weight": 30, "hold": "60s"}]
    declare_v2(canary.stack, {"steps": steps}, CRASH_AFTER="400")
    with Users() as users:
        run = canary.begins()
        assert run.ends() == ROLLED_BACK, run.said
    prove(run, users)
    assert canary.weights == [10, 30, 0]
    applied = [each["time"] for each in canary.report["events"] if each["event"] == "applied"]
    failed = [datetime.fromisoformat(each.split()[0]).timestamp() for each in users.lost]
    if failed:
        assert applied[1] < min(failed)
        assert max(failed) < applied[2] + 1
        assert len(failed) <= RATE * 0.3 * (max(failed) - min(failed) + 1)
    assert at_most(users, 30), f"{users.saw_v2} of {users.requests}"
    as_before(canary.stack)


def test_a_version_that_never_starts_gets_no_traffic(canary: Canary, prove: Prove) -> None:
    """Not a request; and the stack is as it was before."""
    declare_v2(canary.stack, FAILURE_PERCENT="101")
    with Users() as users:
        run = canary.begins()
        assert run.ends(STARTING_SECONDS) == ROLLED_BACK, run.said
    prove(run, users)
    assert "v2 had no traffic" in canary.report["why"]
    assert canary.weights == []
    assert users.saw_v2 == 0
    assert users.lost == []
    as_before(canary.stack)
