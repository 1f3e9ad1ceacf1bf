"""A canary on the lab under a constant load: nothing fails but what v2 itself answers.

The figures are those of the platform's Prometheus: `python -m lab metrics` brings it.
"""

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from math import sqrt
from pathlib import Path
from typing import Any

import pytest

from operations.canary.split import agreeing
from tests.e2e import load
from tests.e2e.canaries import (
    HOST,
    NAMESPACE,
    PLAN,
    PLATFORMS,
    PROMETHEUS,
    RATE,
    URL,
    V1,
    V2,
    Canary,
    Run,
    Users,
    settings,
)
from tests.e2e.conftest import Shell, Stack, lab, stacks_in
from tests.e2e.test_lab_mends import pid_of

PROMOTED, REFUSED, ROLLED_BACK, ABORTED, HELD, NO_DATA = 0, 1, 3, 4, 5, 6
OUTAGE_SECONDS = 20
STARTING_SECONDS = 480
"""For the end of a canary whose new version never starts: two updates that wait for its pods."""
STEP = "step {}/3: "
"""What is said when a step's update begins."""

Prove = Callable[[Run, Users], None]


@pytest.fixture(scope="module")
def stack(_lab_is_up: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One version that has everything, and figures of it."""
    if PROMETHEUS == PLATFORMS:
        lab("metrics")
    with stacks_in(tmp_path_factory.mktemp("canary")) as make:
        made = make(NAMESPACE, **settings())
        made.up()
        yield made


@pytest.fixture
def canary(stack: Stack, tmp_path: Path) -> Iterator[Canary]:
    """As before any canary: v1 has everything, and the stack knows no v2."""
    given = Canary(stack=stack, home=tmp_path)
    if stack.config["versions"] != {"v1": V1}:
        stack.configure(**settings())
        stack.up()
    yield given
    given.end()
    # What a test left in the middle of something is not the next one's.
    stack.configure(**settings())
    stack.pulumi("cancel --yes", check=False)
    stack.pulumi("up --yes --skip-preview --refresh --run-program")


def declare_v2(stack: Stack, plan: Mapping[str, Any] | None = None, **env: str) -> None:
    """Say in the stack file that there is a v2, and how it gets its traffic; nobody deploys it yet."""
    own = {"env": env} if env else {}
    stack.configure(
        versions={"v1": V1, "v2": {**V2, **own}},
        weights={"v1": 100, "v2": 0},
        canary={**PLAN, **(plan or {})},
    )


def as_before(stack: Stack) -> None:
    """Nothing is left of v2: not in the stack file, nor in the state, nor in the cluster."""
    assert (stack.config["versions"], stack.config["weights"]) == ({"v1": V1}, {"v1": 100})
    stack.pulumi("preview --expect-no-changes")
    assert not stack.shell.pods(NAMESPACE, "version=v2")


def promoted(stack: Stack) -> None:
    """Everybody has v2, and stack file, state and cluster say so."""
    assert stack.config["weights"] == {"v1": 0, "v2": 100}
    assert stack.outputs()["weights"] == {"v1": 0, "v2": 100}
    stack.pulumi("preview --expect-no-changes")
    (route,) = stack.shell.json(f"kubectl get virtualservices -n {NAMESPACE} -o json")["items"]
    (http,) = route["spec"]["http"]
    weights = {each["destination"]["subset"]: each["weight"] for each in http["route"]}
    assert weights == {"v1": 0, "v2": 100}


def at_most(users: Users, percent: int) -> bool:
    """Tell whether v2 got no more than a share of all requests, with four standard deviations of chance."""
    wanted = users.requests * percent / 100
    return users.saw_v2 <= wanted + 4 * sqrt(wanted)


@pytest.fixture
def prove(record_property: Callable[[str, object], None]) -> Prove:
    """Keep what came out for the table that `python -m bench canary` makes."""

    def keep(run: Run, users: Users) -> None:
        record_property("exit", run.process.returncode)
        record_property("outcome", run.said.splitlines()[-2].partition("  ")[2])
        record_property("requests", users.requests)
        record_property("lost", len(users.lost))
        record_property("failed by v2", users.failed_by_v2)
        record_property("saw v2", users.saw_v2)

    return keep


def test_a_good_version_is_promoted(canary: Canary, prove: Prove) -> None:
    """Step by step, each an update in the stack's history, and nobody loses a request."""
    declare_v2(canary.stack)
    with Users() as users:
        run = canary.begins()
        assert run.ends() == PROMOTED, run.said
    prove(run, users)
    promoted(canary.stack)
    assert canary.weights == [10, 30, 100]
    assert users.lost == []
    history = canary.stack.shell.json(f"pulumi stack history --stack {canary.stack.name} --json")
    told = [each["message"] for each in reversed(history) if each["message"].startswith("canary")]
    assert told[-4:] == [
        "canary v2: before the first step",
        "canary v2: step 1/3, 10 %",
        "canary v2: step 2/3, 30 %",
        "canary v2: step 3/3, 100 %",
    ]


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


def test_without_traffic_it_stops_where_the_plan_says_so(canary: Canary) -> None:
    """The weights stay as they are, for lack of figures; then a person has everybody back."""
    declare_v2(canary.stack, {"noData": "stop"})
    run = canary.begins()
    assert run.ends() == NO_DATA, run.said
    assert canary.stack.config["weights"] == {"v1": 90, "v2": 10}
    assert canary.asks("--abort")[0] == ABORTED
    as_before(canary.stack)


def test_without_traffic_it_waits_for_some(canary: Canary, prove: Prove) -> None:
    """Neither promoted nor taken back by nothing."""
    declare_v2(canary.stack)
    run = canary.begins()
    run.says("too few")
    time.sleep(OUTAGE_SECONDS)
    assert STEP.format(2) not in run.said
    with Users() as users:
        assert run.ends() == PROMOTED, run.said
    prove(run, users)
    promoted(canary.stack)
    assert users.lost == []


def test_prometheus_stopped_in_the_middle_is_waited_for(canary: Canary, prove: Prove) -> None:
    """No figures are no verdict: nothing goes on until they are there again."""
    declare_v2(canary.stack)
    with Users() as users:
        run = canary.begins()
        run.says("split measured")
        with prometheus_away(canary.stack.shell):
            run.says("no figures")
            time.sleep(OUTAGE_SECONDS)
            assert STEP.format(2) not in run.said
        assert run.ends() == PROMOTED, run.said
    prove(run, users)
    promoted(canary.stack)
    assert users.lost == []


def test_prometheus_stopped_for_long_ends_it_where_the_plan_says_so(canary: Canary, prove: Prove) -> None:
    """With the weights as they are, and another exit code than that of bad figures."""
    declare_v2(canary.stack, {"noData": "stop"})
    with Users() as users:
        run = canary.begins()
        run.says("split measured")
        with prometheus_away(canary.stack.shell):
            assert run.ends() == NO_DATA, run.said
    prove(run, users)
    assert canary.stack.config["weights"] == {"v1": 90, "v2": 10}
    assert users.lost == []
    assert canary.asks("--abort")[0] == ABORTED
    as_before(canary.stack)


@pytest.mark.parametrize("moment", ["split measured", STEP.format(2)], ids=["analysis", "update"])
def test_the_api_server_away_for_20_seconds(canary: Canary, prove: Prove, moment: str) -> None:
    """In the analysis or in an update: it is waited for, and the proxies go on by what they know."""
    declare_v2(canary.stack)
    with Users() as users:
        run = canary.begins()
        run.says(moment)
        api_server = pid_of("kube-apiserver")
        os.kill(api_server, signal.SIGSTOP)
        try:
            time.sleep(OUTAGE_SECONDS)
        finally:
            os.kill(api_server, signal.SIGCONT)
        assert run.ends() == PROMOTED, run.said
    prove(run, users)
    promoted(canary.stack)
    assert users.lost == []


def test_killed_at_each_step_it_goes_on(canary: Canary, prove: Prove) -> None:
    """`kill -9` of canary and pulumi: --resume goes on from what the cluster has."""
    declare_v2(canary.stack)
    with Users() as users:
        run = canary.begins()
        for moment in ("deploying what", STEP.format(1), "split measured", STEP.format(2), STEP.format(3)):
            run.says(moment)
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
        run.says(STEP.format(2))
        run.kill(updates=False)
        run = canary.run("--resume")
        assert run.ends() == PROMOTED, run.said
    prove(run, users)
    promoted(canary.stack)
    assert users.lost == []


@pytest.mark.parametrize("moment", ["going back", "removing v2"])
def test_killed_on_its_way_back_it_goes_back(canary: Canary, prove: Prove, moment: str) -> None:
    """Whatever the figures say by then."""
    declare_v2(canary.stack, FAILURE_PERCENT="50")
    with Users() as users:
        run = canary.begins()
        run.says(moment)
        run.kill()
        run = canary.run("--resume")
        assert run.ends() == ROLLED_BACK, run.said
    prove(run, users)
    assert users.lost == []
    as_before(canary.stack)


def test_people_at_other_terminals(canary: Canary, prove: Prove) -> None:
    """Pause, status, a second canary, a kill, resume, promote."""
    declare_v2(canary.stack)
    with Users() as users:
        run = canary.begins()
        run.says("split measured")
        assert canary.asks("--pause")[0] == 0
        code, said = canary.begins().ends(), canary.runs[-1].said
        assert (code, f"runs already, as process {run.process.pid}" in said) == (REFUSED, True), said
        assert "paused by hand" in canary.asks("--status")[1]
        run.kill(updates=False)
        assert "does not run, and is not over" in canary.asks("--status")[1]
        run = canary.run("--resume")
        run.says("still paused")
        run.says("split measured")
        time.sleep(OUTAGE_SECONDS)
        assert STEP.format(2) not in run.said
        assert canary.asks("--resume")[0] == 0
        run.says(STEP.format(2))
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
        run.says("split measured")
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
        run.says(STEP.format(2))
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
        run.says("split measured")
        run.interrupt()
        run.says("go [b]ack")
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
        run.says("split measured")
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


@pytest.mark.parametrize("percent", [5, 10, 25, 50, 75])
def test_the_split_of_10000_requests(
    canary: Canary, record_property: Callable[[str, object], None], percent: int
) -> None:
    """Lies within its 99 % interval; once in a hundred chance alone leaves it, so the second try counts."""
    declare_v2(canary.stack)
    canary.stack.configure(weights={"v1": 100 - percent, "v2": percent})
    canary.stack.up()
    counts = []
    for _ in range(2):
        answers = ten_thousand()
        counts.append(answers["v2"])
        assert answers.keys() == {"v1", "v2"}
        assert answers.total() == 10_000
        lowest, highest = agreeing(10_000, percent / 100, 0.01)
        if lowest <= counts[-1] <= highest:
            break
    record_property("split", f"{counts} of 10000, {lowest} to {highest} agree with {percent} %")
    assert lowest <= counts[-1] <= highest, counts


def ten_thousand() -> Counter[str]:
    """Ask 10,000 times in 20 s; counts answers by version."""
    with load.from_here(URL, rate=500, host=HOST, slow=False, seconds=20) as asking:
        time.sleep(21)
    assert not asking.report.failed, asking.report.failures[:5]
    return asking.report.answers


@contextmanager
def prometheus_away(shell: Shell) -> Iterator[None]:
    """Stop the platform's Prometheus, and start it again."""
    scale = "kubectl scale deployment prometheus -n istio-system --replicas="
    shell.run(f"{scale}0")
    try:
        yield
    finally:
        shell.run(f"{scale}1")
        shell.run("kubectl rollout status deployment prometheus -n istio-system --timeout=120s")
