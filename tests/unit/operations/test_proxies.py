"""`proxies.synced` returns once every proxy has acknowledged what the block changed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from components.model.handover import Handover
from operations.errors import OperationError
from operations.kube import proxies
from tests.unit.istiods import FakeCluster, is_alive

SYNCZ = "/debug/syncz"


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeCluster]:
    """Put its kubectl in front of PATH, and shorten the fixed delay."""
    cluster = FakeCluster(tmp_path)
    monkeypatch.setenv("PATH", cluster.path)
    monkeypatch.setattr(proxies, "GATHERING_SECONDS", 0)
    yield cluster
    cluster.close()


def proxy(sent: str, acknowledged: str) -> list[dict[str, str]]:
    """The answer of an istiod with one proxy."""
    return [{"proxy": "shop.team", "route_sent": sent, "route_acked": acknowledged}]


def test_the_block_ends_when_the_proxies_have_acknowledged_its_change(cluster: FakeCluster) -> None:
    """A query before, and as many after as it takes; no kubectl process is left."""
    cluster.add({SYNCZ: proxy("old", "old")})
    (istiod,) = cluster.istiods
    answers = iter([proxy("new", "old"), *[proxy("new", "new")] * 9])
    lines: list[str] = []
    with proxies.synced("lab", Handover(), lines.append):
        assert len(istiod.asked) == 1
        istiod.answers[SYNCZ] = lambda: next(answers)
    assert len(istiod.asked) >= 3
    assert lines == []
    assert not any(map(is_alive, cluster.forwards()))


def test_without_an_istiod_the_delay_is_fixed(cluster: FakeCluster) -> None:
    """With the reason."""
    assert cluster.commands("") == 0
    lines: list[str] = []
    with proxies.synced("lab", Handover(), lines.append):
        pass
    (line,) = lines
    assert line.startswith("wait 0 s for the proxies: istiod cannot be queried: no istiod runs in namespace")


def test_proxies_that_do_not_acknowledge_stop_the_command(cluster: FakeCluster) -> None:
    """They are named."""
    cluster.add({SYNCZ: proxy("old", "old")})
    with (
        pytest.raises(OperationError, match=r"after 1 s these proxies have not .*: shop\.team"),
        proxies.synced("lab", Handover(limit="1s"), lambda _: None),
    ):
        cluster.istiods[0].answers[SYNCZ] = proxy("new", "old")
