"""The split of real requests is the wanted one."""

import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from bench import load
from operations.canary.analysis.binomial import agreeing
from tests.e2e.canary.proof import URL
from tests.e2e.canary.setup import HOST, as_before_any, declare_v2
from tests.e2e.conftest import Stack


@pytest.fixture(scope="module")
def both(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Both versions, of which v1 has everything."""
    with as_before_any(stack, tmp_path_factory.mktemp("split")):
        declare_v2(stack)
        stack.up()
        yield stack


@pytest.mark.parametrize("percent", [5, 10, 25, 50, 75])
def test_the_split_of_10000_requests(
    both: Stack, record_property: Callable[[str, object], None], percent: int
) -> None:
    """Lies within its 99 % interval; once in a hundred chance alone leaves it, so the second try counts."""
    both.configure(weights={"v1": 100 - percent, "v2": percent})
    both.up()
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
    with load.Load(URL, rate=500, host=HOST, slow=False, seconds=20) as asking:
        time.sleep(21)
    assert not asking.report.failed, asking.report.failures[:5]
    return asking.report.answers
