"""No traffic, no Prometheus, no API server: none of it is a verdict."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.e2e.canaries import Canary
from tests.e2e.canary.proof import ABORTED, NO_DATA, PROMOTED, Prove, Users, as_before, promoted
from tests.e2e.canary.setup import DEPLOYED, STEP, declare_v2
from tests.e2e.conftest import Shell
from tests.e2e.interruptions import frozen, pid_of

OUTAGE_SECONDS = 20


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
    run.description("too few")
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
        run.description(DEPLOYED)
        with prometheus_away(canary.stack.shell):
            run.description("no metrics")
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
        run.description(DEPLOYED)
        with prometheus_away(canary.stack.shell):
            assert run.ends() == NO_DATA, run.said
    prove(run, users)
    assert canary.stack.config["weights"] == {"v1": 90, "v2": 10}
    assert users.lost == []
    assert canary.asks("--abort")[0] == ABORTED
    as_before(canary.stack)


@pytest.mark.parametrize("moment", [DEPLOYED, STEP.format(2)], ids=["analysis", "update"])
def test_the_api_server_away_for_20_seconds(canary: Canary, prove: Prove, moment: str) -> None:
    """In the analysis or in an update: it is waited for, and the proxies go on by what they know."""
    declare_v2(canary.stack)
    with Users() as users:
        run = canary.begins()
        run.description(moment)
        with frozen(pid_of("kube-apiserver")):
            time.sleep(OUTAGE_SECONDS)
        assert run.ends() == PROMOTED, run.said
    prove(run, users)
    promoted(canary.stack)
    assert users.lost == []


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
