"""People at other terminals, at this one, and those who change the routes by hand."""

import json
import time

from tests.e2e.canaries import Canary
from tests.e2e.canary.proof import ABORTED, HELD, PROMOTED, REFUSED, Prove, Users, as_before, promoted
from tests.e2e.canary.setup import DEPLOYED, NAMESPACE, STEP, declare_v2

PAUSE_SECONDS = 20


def test_people_at_other_terminals(canary: Canary, prove: Prove) -> None:
    """Pause, status, a second canary, a kill, resume, promote."""
    declare_v2(canary.stack)
    with Users() as users:
        run = canary.begins()
        run.description(DEPLOYED)
        assert canary.asks("--pause")[0] == 0
        code, said = canary.begins().ends(), canary.runs[-1].said
        assert (code, f"runs already, as process {run.process.pid}" in said) == (REFUSED, True), said
        assert "paused manually" in canary.asks("--status")[1]
        run.kill(updates=False)
        assert "does not run, and is not over" in canary.asks("--status")[1]
        run = canary.run("--resume")
        run.description("still paused")
        run.description(DEPLOYED)
        time.sleep(PAUSE_SECONDS)
        assert STEP.format(2) not in run.said
        assert canary.asks("--resume")[0] == 0
        run.description(STEP.format(2))
        assert canary.asks("--promote")[0] == 0
        assert run.ends() == PROMOTED, run.said
    prove(run, users)
    promoted(canary.stack)
    assert users.lost == []


def test_abort_has_everybody_back(canary: Canary, prove: Prove) -> None:
    """From another terminal, at once."""
    declare_v2(canary.stack)
    with Users() as users:
        run = canary.begins()
        run.description(DEPLOYED)
        assert canary.asks("--abort")[0] == 0
        assert run.ends() == ABORTED, run.said
    prove(run, users)
    assert users.lost == []
    as_before(canary.stack)


def test_ctrl_c_holds_where_nobody_can_be_asked(canary: Canary, prove: Prove) -> None:
    """Also in an update, which is not cut in two; --resume goes on."""
    declare_v2(canary.stack)
    with Users() as users:
        run = canary.begins()
        run.description(STEP.format(2))
        run.interrupt()
        assert run.ends() == HELD, run.said
        assert canary.stack.outputs()["weights"] == canary.stack.config["weights"] == {"v1": 70, "v2": 30}
        run = canary.run("--resume")
        assert run.ends() == PROMOTED, run.said
    prove(run, users)
    promoted(canary.stack)
    assert users.lost == []


def test_ctrl_c_at_a_terminal_asks(canary: Canary, prove: Prove) -> None:
    """And goes back, if that is the answer."""
    declare_v2(canary.stack)
    with Users() as users:
        run = canary.begins(terminal=True)
        run.description(DEPLOYED)
        run.interrupt()
        run.description("roll [b]ack")
        run.types("b")
        assert run.ends() == ABORTED, run.said
    prove(run, users)
    assert users.lost == []
    as_before(canary.stack)


def test_no_step_on_routes_that_somebody_changed(canary: Canary, prove: Prove) -> None:
    """It stops and says who; when that is undone, it goes on."""
    declare_v2(canary.stack)
    patch = f"kubectl patch virtualservice springbootapp -n {NAMESPACE} --type=json --patch="
    with Users() as users:
        run = canary.begins()
        run.description(DEPLOYED)
        change = [{"op": "add", "path": "/spec/http/0/timeout", "value": "5s"}]
        canary.stack.shell.run(f"{patch}'{json.dumps(change)}'")
        assert run.ends() == HELD, run.said
        assert "VirtualService" in canary.report["why"]
        assert "kubectl-patch" in canary.report["why"]
        assert canary.asks("--resume")[0] == REFUSED
        canary.stack.shell.run(f"{patch}'{json.dumps([{'op': 'remove', 'path': '/spec/http/0/timeout'}])}'")
        run = canary.run("--resume")
        assert run.ends() == PROMOTED, run.said
    prove(run, users)
    promoted(canary.stack)
    assert users.lost == []
