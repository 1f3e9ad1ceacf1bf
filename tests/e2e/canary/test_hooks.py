"""What a team wants done on the way: commands and messages, around the steps of a real canary."""

from pathlib import Path

import psutil

from tests.chat import chat
from tests.e2e.canaries import Canary
from tests.e2e.canary.proof import PROMOTED, ROLLED_BACK, Prove, Users, as_before, promoted
from tests.e2e.canary.setup import NAMESPACE, WEIGHT_OF_V2, declare_v2


def test_hooks_run_around_the_steps(canary: Canary, prove: Prove, tmp_path: Path) -> None:
    """A command knows the step and finds the split of before and after it; a chat gets words and figures."""
    told = tmp_path / "told"
    note = (
        f'echo "$1 $CANARY_STEP/$CANARY_STEPS $CANARY_VERSION $CANARY_WEIGHT has $({WEIGHT_OF_V2})" >> {told}'
    )
    command = {"timeout": "30s"}
    with chat() as (url, messages):
        hooks = [
            {"when": "before-step", "run": ["sh", "-c", note, "sh", "before"], **command},
            {"when": "after-step", "run": ["sh", "-c", note, "sh", "after"], **command},
            {"when": "start", "post": f"{url}/204"},
            {"when": "end", "post": f"{url}/204"},
            {"when": "start", "post": f"{url}/never", "timeout": "2s", "onFailure": "ignore"},
        ]
        declare_v2(canary.stack, {"hooks": hooks})
        with Users() as users:
            run = canary.begins()
            assert run.ends() == PROMOTED, run.said
    prove(run, users)
    assert told.read_text().splitlines() == [
        "before 1/3 v2 10 has 0",
        "after 1/3 v2 10 has 10",
        "before 2/3 v2 30 has 10",
        "after 2/3 v2 30 has 30",
        "before 3/3 v2 100 has 30",
        "after 3/3 v2 100 has 100",
    ]
    assert [(each["outcome"], each["weight"], each["text"].rpartition(": ")[0]) for each in messages] == [
        ("", 10, f"canary of springbootapp v2 on {NAMESPACE}: begins"),
        ("promoted", 100, f"canary of springbootapp v2 on {NAMESPACE}: promoted"),
    ]
    assert "never: took longer than 2 s" in run.said
    promoted(canary.stack)
    assert users.lost == []


def test_a_hook_that_takes_too_long_leads_back(canary: Canary, prove: Prove) -> None:
    """Nothing of it is left, and everybody is back."""
    asleep = ["sh", "-c", "sleep 3141 & wait"]
    declare_v2(canary.stack, {"hooks": [{"when": "after-step", "run": asleep, "timeout": "3s"}]})
    with Users() as users:
        run = canary.begins()
        assert run.ends() == ROLLED_BACK, run.said
    prove(run, users)
    assert "took longer than 3 s" in canary.report["why"]
    assert canary.weights == [10, 0]
    assert not [each for each in psutil.process_iter(["cmdline"]) if "3141" in (each.info["cmdline"] or ())]
    assert users.lost == []
    as_before(canary.stack)
