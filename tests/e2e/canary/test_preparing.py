"""While the new version is deployed, and nobody has met it yet."""

import time

from tests.e2e.canaries import Canary, Run
from tests.e2e.canary.proof import ABORTED, HELD, PROMOTED, Prove, Users, as_before, promoted
from tests.e2e.canary.setup import NAMESPACE, STEP, WEIGHT_OF_V2, declare_v2

NEVER_STARTS = {"FAILURE_PERCENT": "101"}
"""Its pods crash, so that the update which brings them waits for more than a minute."""
POD_SECONDS = 60
SOON_SECONDS = 40
"""For Pulumi to end what it does, and for an update that takes it away again."""


def test_abort_is_heard_while_pods_are_waited_for(canary: Canary, prove: Prove) -> None:
    """Pulumi ends its update, and what it had brought goes again."""
    declare_v2(canary.stack, None, **NEVER_STARTS)
    with Users() as users:
        run = canary.begins()
        waits_for_pods(canary, run)
        began = time.monotonic()
        assert canary.asks("--abort")[0] == 0
        assert run.ends() == ABORTED, run.said
        assert time.monotonic() - began < SOON_SECONDS, run.said
    prove(run, users)
    assert canary.weights == []
    assert users.saw_v2 == 0
    assert users.lost == []
    as_before(canary.stack)


def test_ctrl_c_is_heard_while_pods_are_waited_for(canary: Canary, prove: Prove) -> None:
    """Held, nobody has v2; its mended image is what --resume deploys."""
    declare_v2(canary.stack, None, **NEVER_STARTS)
    with Users() as users:
        run = canary.begins()
        waits_for_pods(canary, run)
        run.interrupt()
        assert run.ends(SOON_SECONDS) == HELD, run.said
        assert STEP.format(1) not in run.said
        declare_v2(canary.stack)
        run = canary.run("--resume")
        assert run.ends() == PROMOTED, run.said
    prove(run, users)
    promoted(canary.stack)
    assert users.lost == []
    assert users.failed_by_v2 == 0


def test_pause_holds_the_first_step_back(canary: Canary, prove: Prove) -> None:
    """And a promotion asked for meanwhile is done when the pods are ready."""
    declare_v2(canary.stack)
    with Users() as users:
        run = canary.begins()
        run.description("deploying the stack file")
        assert canary.asks("--pause")[0] == 0
        run.description("before the step, paused")
        assert canary.stack.shell.run(WEIGHT_OF_V2).stdout == "0"
        assert canary.asks("--promote")[0] == 0
        assert run.ends() == PROMOTED, run.said
    prove(run, users)
    assert canary.weights == [100]
    promoted(canary.stack)
    assert users.lost == []


def waits_for_pods(canary: Canary, run: Run) -> None:
    """Wait until the update has made pods, which are all that it waits for then."""
    run.description("deploying the stack file")
    deadline = time.monotonic() + POD_SECONDS
    while not canary.stack.shell.pods(NAMESPACE, "version=v2"):
        assert time.monotonic() < deadline, run.said
