"""A good version is promoted, step by step, and nobody loses a request."""

from tests.e2e.canaries import Canary
from tests.e2e.canary.proof import PROMOTED, Prove, Users, promoted
from tests.e2e.canary.setup import declare_v2


def test_a_good_version_is_promoted(canary: Canary, prove: Prove) -> None:
    """Step by step, each an update in the stack's history, and nobody loses a request."""
    declare_v2(canary.stack)
    with Users() as users:
        run = canary.begins()
        assert run.ends() == PROMOTED, run.said
    prove(run, users)
    promoted(canary.stack)
    assert canary.weights == [10, 30, 100]
    shares = [each["shares"]["v2"] for each in canary.report["events"] if each["event"] == "split"]
    assert [round(count / total, 1) for count, total in shares] == [0.1, 0.3, 1.0]
    assert users.lost == []
    history = canary.stack.shell.json(f"pulumi stack history --stack {canary.stack.name} --json")
    told = [each["message"] for each in reversed(history) if each["message"].startswith("canary")]
    assert told[-4:] == [
        "canary v2: before the first step",
        "canary v2: step 1/3, 10 %",
        "canary v2: step 2/3, 30 %",
        "canary v2: step 3/3, 100 %",
    ]
