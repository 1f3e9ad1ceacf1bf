"""One stack for all canaries of these suites, and Prometheus of the platform."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.canaries import Canary, Run
from tests.e2e.canary.proof import Prove, Users
from tests.e2e.canary.setup import NAMESPACE, as_before_any, settings
from tests.e2e.conftest import Stack, lab, stacks_in


@pytest.fixture(scope="package")
def stack(_lab_is_up: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One version that has everything, and figures of it."""
    lab("metrics")
    with stacks_in(tmp_path_factory.mktemp("canary")) as make:
        made = make(NAMESPACE, **settings())
        made.up()
        yield made


@pytest.fixture
def canary(stack: Stack, tmp_path: Path) -> Iterator[Canary]:
    """As before any canary."""
    with as_before_any(stack, tmp_path) as given:
        yield given


@pytest.fixture
def prove(record_property: Callable[[str, object], None]) -> Prove:
    """Keep what came out for the table that `python -m tests.e2e.proof_tables canary` makes."""

    def keep(run: Run, users: Users) -> None:
        record_property("exit", run.process.returncode)
        record_property("outcome", run.said.splitlines()[-2].partition("  ")[2])
        record_property("requests", users.requests)
        record_property("lost", len(users.lost))
        record_property("failed by v2", users.failed_by_v2)
        record_property("saw v2", users.saw_v2)

    return keep
