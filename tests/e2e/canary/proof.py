"""How a canary ended, and what its users had of it."""

from collections.abc import Callable
from math import sqrt
from types import TracebackType
from typing import Final, Self

from bench import load
from tests.e2e.canaries import Run
from tests.e2e.canary.setup import HOST, V1
from tests.e2e.conftest import Stack

PROMOTED, REFUSED, ROLLED_BACK, ABORTED, HELD, NO_DATA = 0, 1, 3, 4, 5, 6
"""Exit codes."""
URL: Final = "http://127.0.0.1:31380/hello"
RATE: Final = 200
"""Requests a second while a canary runs."""


class Users:
    """A constant load of requests from outside, from enter to exit."""

    def __init__(self, host: str = HOST) -> None:
        self._load = load.Load(URL, rate=RATE, host=host, slow=False)

    def __enter__(self) -> Self:
        """Start asking."""
        self._load.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop asking."""
        self._load.__exit__(kind, error, trace)

    @property
    def requests(self) -> int:
        """How many there were."""
        return self._load.report.requests

    @property
    def lost(self) -> list[str]:
        """Failures but those that the new version itself answered."""
        report = self._load.report
        assert report.failed == len(report.failures), "more failures than are told in detail"
        return [each for each in report.failures if "v2 fails" not in each]

    @property
    def failed_by_v2(self) -> int:
        """Failures that the new version itself answered."""
        return self._load.report.failed - len(self.lost)

    @property
    def saw_v2(self) -> int:
        """How many the new version answered, well or badly."""
        return self._load.report.answers["v2"] + self.failed_by_v2


Prove = Callable[[Run, Users], None]
"""Keeps what came out for the table that `python -m tests.e2e.proof_tables canary` makes."""


def as_before(stack: Stack) -> None:
    """Nothing is left of v2: not in the stack file, nor in the state, nor in the cluster."""
    assert (stack.config["versions"], stack.config["weights"]) == ({"v1": V1}, {"v1": 100})
    stack.pulumi("preview --expect-no-changes")
    assert not stack.shell.pods(stack.namespace, "version=v2")


def promoted(stack: Stack) -> None:
    """Everybody has v2, and stack file, state and cluster say so."""
    assert stack.config["weights"] == {"v1": 0, "v2": 100}
    assert stack.outputs()["weights"] == {"v1": 0, "v2": 100}
    stack.pulumi("preview --expect-no-changes")
    (route,) = stack.shell.json(f"kubectl get virtualservices -n {stack.namespace} -o json")["items"]
    (http,) = route["spec"]["http"]
    weights = {each["destination"]["subset"]: each["weight"] for each in http["route"]}
    assert weights == {"v1": 0, "v2": 100}


def at_most(users: Users, percent: int) -> bool:
    """Tell whether v2 got no more than a share of all requests, with four standard deviations of chance."""
    wanted = users.requests * percent / 100
    return users.saw_v2 <= wanted + 4 * sqrt(wanted)
