"""Good versions are promoted and bad ones rolled back: whole canaries, by chance with a seed.

`python -m tests.unit.operations.canary.simulated_table` draws more, of more versions and plans:
tests/results/simulated_canaries.md.
"""

import pytest

from tests.unit.operations.canary.simulated import BAD, EQUAL, PLANS, Ended, Version, canary

DRAWS = 20
RATES = pytest.mark.parametrize("rate", [20, 1500])


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pods and people are looked at less often: here nothing happens to them."""
    monkeypatch.setattr("operations.canary.analysis.monitor.TICK_SECONDS", 10)


def drawn(versions: tuple[Version, Version], rate: float, plan: str = "default") -> list[Ended]:
    return [canary(versions, rate=rate, seed=seed, plan=PLANS[plan]) for seed in range(DRAWS)]


@RATES
@pytest.mark.parametrize("versions", ["1 pod each", "4 pods each"])
def test_equal_versions_are_promoted(versions: str, rate: float) -> None:
    """All of them, at few requests and at many, with one pod and with several, by the default plan."""
    assert [each.description for each in drawn(EQUAL[versions], rate) if not each.promoted] == []


@pytest.mark.parametrize("versions", ["1 ms against 3", "cold for 15 s", "long pauses"])
def test_what_looks_slower_at_many_requests_is_promoted(versions: str) -> None:
    """What the reviewers saw; cold pods; and pauses for whose end hundreds of requests wait."""
    assert [each.description for each in drawn(EQUAL[versions], 1600) if not each.promoted] == []


@RATES
def test_equal_versions_are_promoted_by_the_plan_of_the_docs(rate: float) -> None:
    """With copies, a route for insiders, two limits for errors and two for latency."""
    ended = drawn(EQUAL["1 pod each"], rate, "docs/canary.md")
    assert [each.description for each in ended if not each.promoted] == []


@RATES
@pytest.mark.parametrize("versions", list(BAD))
def test_bad_versions_are_rolled_back(versions: str, rate: float) -> None:
    """All of them; what is as slow as that, or fails at many requests, at the first step."""
    ended = drawn(BAD[versions], rate)
    assert [each.description for each in ended if each.promoted] == []
    at_once = versions == "300 ms more" or rate == 1500
    assert {each.most for each in ended if at_once} <= {5}


def test_without_a_warm_up_cold_pods_lead_back() -> None:
    """So that the simulation can tell: it is the warm-up that has them promoted."""
    cold = (Version(), Version(cold=40))
    assert not canary(cold, rate=1500, seed=1, plan={"warmUp": "0s"}).promoted
    assert canary(cold, rate=1500, seed=1, plan={"warmUp": "45s"}).promoted
