"""All proxies have taken a change: told from a sequence of looks, on a clock of the test's own."""

import asyncio
from collections.abc import Callable, Sequence
from types import SimpleNamespace

import pytest

from components.rollout import proxy_sync
from components.rollout.istiod import KINDS, Proxy, Sample
from components.rollout.proxy_sync import (
    GATHERING_SECONDS,
    QUIET_SECONDS,
    ROUTES,
    ProxySyncTimeout,
    proxies_synced,
)

LIMIT = 60.0


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Time passes only while somebody sleeps."""
    clock = SimpleNamespace(now=0.0)

    async def sleep(seconds: float) -> None:
        clock.now += seconds

    monkeypatch.setattr(proxy_sync, "time", SimpleNamespace(monotonic=lambda: clock.now))
    monkeypatch.setattr(proxy_sync, "asyncio", SimpleNamespace(sleep=sleep))
    return clock


def proxy(sent: str, taken: str | None = None) -> Proxy:
    """Make a proxy by its routes; all else it has taken long ago."""
    old = dict.fromkeys(KINDS, "old")
    return Proxy(sent={**old, "route": sent}, acked={**old, "route": sent if taken is None else taken})


Watch = Callable[..., tuple[frozenset[str], float]]


@pytest.fixture
def watch(clock: SimpleNamespace) -> Watch:
    """Show looks one after the other, the last one for ever; returns who was stuck, and when it ended."""

    def watch(samples: Sequence[Sample], before: Sample | None) -> tuple[frozenset[str], float]:
        left = list(samples)

        async def sample() -> Sample:
            return left.pop(0) if len(left) > 1 else left[0]

        stuck = asyncio.run(proxies_synced(sample, before, ROUTES, LIMIT))
        return stuck, round(clock.now, 3)

    return watch


def test_it_ends_soon_after_the_last_proxy_took_the_change(watch: Watch) -> None:
    """Not before all have taken it, and not before istiod would have sent more."""
    before = {"gateway": proxy("1"), "sidecar": proxy("1")}
    sent = {"gateway": proxy("2", "1"), "sidecar": proxy("1")}
    half = {"gateway": proxy("2"), "sidecar": proxy("2", "1")}
    done = {"gateway": proxy("2"), "sidecar": proxy("2")}
    stuck, moment = watch([before, sent, half, half, half, half, half, half, half, half, done], before)
    assert not stuck
    assert 1 <= moment <= 1 + QUIET_SECONDS


def test_a_change_that_concerns_nobody_ends_when_istiod_must_have_sent_it(watch: Watch) -> None:
    """It gathers changes; as long as nobody was sent anything it may still do so."""
    idle = {"gateway": proxy("1")}
    _, moment = watch([idle], idle)
    assert GATHERING_SECONDS <= moment < GATHERING_SECONDS + 1


def test_without_news_to_gather_it_ends_at_once(watch: Watch) -> None:
    """Where istiod has sent all before, it is enough that nobody lags."""
    _, moment = watch([{"gateway": proxy("1", "0")}, {"gateway": proxy("1")}], None)
    assert moment < 1


def test_a_proxy_that_does_not_take_it_is_named(watch: Watch) -> None:
    """The update stops, and says which."""
    before = {"good": proxy("1"), "bad": proxy("1")}
    with pytest.raises(ProxySyncTimeout, match=r"^bad$"):
        watch([{"good": proxy("2"), "bad": proxy("2", "1")}], before)


def test_one_that_was_late_before_holds_nobody_up_for_ever(watch: Watch) -> None:
    """A frozen proxy somewhere in the mesh is named, and the update goes on at the limit."""
    before = {"good": proxy("1"), "frozen": proxy("1", "0")}
    stuck, moment = watch([{"good": proxy("2"), "frozen": proxy("2", "0")}], before)
    assert stuck == {"frozen"}
    assert moment >= LIMIT


def test_a_busy_mesh_settles(watch: Watch) -> None:
    """Somebody always waits for something: each proxy needs to be seen once with nothing due."""
    before = {"a": proxy("1"), "b": proxy("1")}
    reached = {"a": proxy("2"), "b": proxy("2")}
    samples = [reached] * 7 + [
        {"a": proxy("3", "2"), "b": proxy("2")},
        {"a": proxy("3"), "b": proxy("4", "2")},
    ]
    _, moment = watch(samples, before)
    assert moment < 2


def test_proxies_come_and_go(watch: Watch) -> None:
    """One that is gone needs nothing; one that has connected since got the newest at once."""
    before = {"old": proxy("1"), "gateway": proxy("1")}
    _, moment = watch([{"gateway": proxy("2"), "new": proxy("2")}], before)
    assert moment < 1
