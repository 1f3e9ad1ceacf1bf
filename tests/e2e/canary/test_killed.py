"""Killed at any moment, a canary goes on from what cluster and state are."""

import pytest

from tests.e2e.canaries import Canary
from tests.e2e.canary.proof import PROMOTED, ROLLED_BACK, Prove, Users, as_before, promoted
from tests.e2e.canary.setup import DEPLOYED, STEP, declare_v2


def test_killed_at_each_step_it_goes_on(canary: Canary, prove: Prove) -> None:
    """`kill -9` of canary and pulumi: --resume goes on from what the cluster has."""
    declare_v2(canary.stack)
    with Users() as users:
        run = canary.begins()
        for moment in ("deploying the stack file", STEP.format(1), DEPLOYED, STEP.format(2), STEP.format(3)):
            run.description(moment)
            if moment != DEPLOYED:
                run.updates()
            run.kill()
            run = canary.run("--resume")
        assert run.ends() == PROMOTED, run.said
    prove(run, users)
    promoted(canary.stack)
    assert users.lost == []


def test_killed_alone_it_waits_for_its_own_update(canary: Canary, prove: Prove) -> None:
    """The update that it had begun goes on without it, and --resume waits for its end."""
    declare_v2(canary.stack)
    with Users() as users:
        run = canary.begins()
        run.description(STEP.format(2))
        run.updates()
        run.kill(updates=False)
        run = canary.run("--resume")
        assert run.ends() == PROMOTED, run.said
    prove(run, users)
    promoted(canary.stack)
    assert users.lost == []


@pytest.mark.parametrize("moment", ["rolling back", "removing v2"])
def test_killed_on_its_way_back_it_goes_back(canary: Canary, prove: Prove, moment: str) -> None:
    """Whatever the figures say by then."""
    declare_v2(canary.stack, FAILURE_PERCENT="50")
    with Users() as users:
        run = canary.begins()
        run.description(moment)
        run.kill()
        run = canary.run("--resume")
        assert run.ends() == ROLLED_BACK, run.said
    prove(run, users)
    assert users.lost == []
    as_before(canary.stack)
