"""Whatever goes wrong around a canary, the weights go back, or it stays under control and says so."""

import errno
from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Any, Final

import pytest

from operations.canary.deploy.deployment import UpdateFailed
from operations.canary.deploy.retry import MAX_ROLLBACK_ATTEMPTS
from operations.canary.journal.inbox import Command
from operations.canary.outcome import Outcome
from operations.errors import OperationError
from operations.metrics.errors import MetricsError
from tests.unit.operations.canary.environments import FakeEnvironment, rollout

PLAN: Final[dict[str, Any]] = {
    "steps": [10, 100],
    "hold": "6s",
    "interval": "3s",
    "minRequests": 20,
    "checks": [{"successRate": {"atLeast": 99}}, {"query": {"name": "queue", "promql": "q", "atMost": 2}}],
    "hooks": [{"when": when, "run": when} for when in ("start", "before-step", "after-step", "end")],
}
BACK: Final = {"v1": 100, "v2": 0}
CALLS: Final = (
    "now",
    "sleep",
    "write",
    "up",
    "synced",
    "ready",
    "answers",
    "drift",
    "measure",
    "value",
    "run_hook",
    "command",
    "reply",
    "interrupted",
    "note",
    "report_line",
    "show",
)
"""What a canary calls when nothing fails."""
OUTPUT: Final = {"note", "report_line", "show", "reply"}
MOMENTS: Final = (*range(14), *range(14, 150, 7))
"""The calls that go wrong, by their number: each of the first, and then some."""
ERRORS: Final[tuple[Callable[[], BaseException], ...]] = (
    lambda: RuntimeError("why"),
    lambda: KeyError("value"),
    lambda: UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
    lambda: OSError(errno.ENOSPC, "No space left on device"),
    lambda: OperationError("what", fix="mend"),
    lambda: MetricsError("what", fix="mend"),
    lambda: UpdateFailed("what", fix="mend", evidence="error: no"),
)
CLOSED: Final = (lambda: SystemExit(1), lambda: BrokenPipeError(errno.EPIPE, "Broken pipe"))
"""What rich makes of a closed pipe, and what a closed pipe is."""


def errors_at_moments(name: str) -> Iterator[tuple[int, Callable[[], BaseException]]]:
    """Pair the moments with the errors, one after the other."""
    return zip(MOMENTS, cycle((*ERRORS, *CLOSED) if name in OUTPUT else ERRORS), strict=False)


class FaultyEnvironment(FakeEnvironment):
    """Raises an error in one of its calls, at a moment; from then on, if it lasts."""

    def __init__(
        self, name: str, nth: int, error: Callable[[], BaseException], *, lasts: bool = False
    ) -> None:
        super().__init__(values={"queue v2": 1, "queue v1": 1})
        self.calls = 0
        self.failed = False
        real: Callable[..., Any] = getattr(self, name)

        def call(*given: Any, **named: Any) -> Any:  # noqa: ANN401
            self.calls += 1
            if self.calls - 1 == nth or (lasts and self.calls > nth):
                self.failed = True
                raise error()
            return real(*given, **named)

        setattr(self, name, call)


def turned_bad(environment: FakeEnvironment) -> None:
    """From the second step's beginning on the new version fails; who waits for figures is called off."""
    environment.at.append((14, lambda it: it.errors.update(v2=0.5)))
    environment.at.append((60, lambda it: it.wishes.append(Command.abort)))


def is_safe(environment: FakeEnvironment, outcome: Outcome) -> None:
    """See that the new version has nothing, or that a person or the plan wants what it has."""
    assert environment.live == BACK or outcome in {Outcome.held, Outcome.no_data}, (outcome, environment.live)
    assert outcome is not Outcome.promoted
    assert (
        environment.events("end")[-1]["outcome"] == str(outcome) if "note" not in vars(environment) else True
    )


@pytest.mark.parametrize("name", CALLS)
def test_an_error_of_any_kind_at_any_moment_leaves_no_bad_version_with_traffic(name: str) -> None:
    """One error in one call, at each moment: the version turns bad, and the weights go back."""
    for nth, error in errors_at_moments(name):
        environment = FaultyEnvironment(name, nth, error)
        turned_bad(environment)
        outcome, why = rollout(environment, **PLAN).run()
        is_safe(environment, outcome)
        assert why


@pytest.mark.parametrize("name", sorted(set(CALLS) - {"up", "write", "now", "sleep"}))
def test_an_error_that_stays_leaves_no_bad_version_with_traffic(name: str) -> None:
    """The same where it never works again: a full disk, a closed terminal, a Prometheus that is none."""
    for nth, error in errors_at_moments(name):
        environment = FaultyEnvironment(name, nth, error, lasts=True)
        turned_bad(environment)
        outcome, _ = rollout(environment, **PLAN).run()
        is_safe(environment, outcome)


@pytest.mark.parametrize("name", sorted(OUTPUT))
def test_a_good_version_is_promoted_without_output(name: str) -> None:
    """Nobody sees it, and nothing else is wrong; without a journal no step is begun."""
    environment = FaultyEnvironment(name, 0, lambda: OSError(errno.EIO, "Input/output error"), lasts=True)
    outcome, why = rollout(environment, **PLAN).run()
    if name == "note":
        assert (outcome, why) == (Outcome.rolled_back, "the canary's journal cannot be written")
        assert environment.live == BACK
    else:
        assert outcome is Outcome.promoted


@pytest.mark.parametrize("error", [*ERRORS, CLOSED[0]])
def test_an_error_that_nobody_foresaw_is_told(error: Callable[[], BaseException]) -> None:
    """With its type, its place in the code, and its trace in the journal."""
    environment = FaultyEnvironment("ready", 5, error)
    outcome, why = rollout(environment, **PLAN).run()
    assert (outcome, environment.live, environment.file) == (Outcome.rolled_back, BACK, BACK)
    if isinstance(error(), OperationError):
        assert why == str(error())
    else:
        assert f"unexpected {type(error()).__name__}: " in why
        assert "test_failures.py" in why
        assert any("in call" in each for each in environment.events("fault")[0]["trace"])
    assert environment.events("back")[0]["why"] == why


@pytest.mark.parametrize("name", CALLS)
def test_before_the_first_step_an_error_leaves_the_weights_as_they_are(name: str) -> None:
    """And it ends as a canary ends: with an entry in the journal, and an exit code."""
    for error in ERRORS:
        environment = FaultyEnvironment(name, 0, error)
        ended = rollout(environment, brought=True, **PLAN).prepare()
        assert environment.live == BACK
        assert ended is None or ended[0] in {Outcome.failed, Outcome.rolled_back}


@pytest.mark.parametrize(
    "error",
    [
        OperationError("Pulumi.prod.yaml is no YAML", fix="mend it"),
        FileNotFoundError(2, "No such file or directory", "Pulumi.prod.yaml"),
        PermissionError(13, "Permission denied", "Pulumi.prod.yaml"),
        KeyError("mesh-app:weights"),
    ],
    ids=lambda it: type(it).__name__,
)
def test_weights_go_back_without_the_stack_file(error: Exception) -> None:
    """By the canary's own copy; what the file lacks is told, and how it ended stays what it is."""
    environment = FakeEnvironment(errors={"v1": 0.0, "v2": 0.5})
    environment.at.append((3, lambda it: setattr(it, "unwritable", error)))
    outcome, why = rollout(environment, **{**PLAN, "checks": [{"successRate": {"atLeast": 99}}]}).run()
    assert (outcome, environment.live) == (Outcome.rolled_back, BACK)
    assert environment.file == {"v1": 90, "v2": 10}
    assert "the stack file cannot be changed" in why
    assert why.endswith("Before the next pulumi up, in Pulumi.prod.yaml: set weights")


def test_a_stack_file_that_does_not_deploy_any_more_is_no_obstacle() -> None:
    """Somebody changed something else of it meanwhile: after two tries the copy does."""
    environment = FakeEnvironment(errors={"v1": 0.0, "v2": 0.5})
    real = environment.up

    def up(message: str, **words: Any) -> None:  # noqa: ANN401
        if "back" in message and environment.copy is None:
            environment.said.append(f"up {message}")
            raise UpdateFailed("`pulumi up` failed", evidence="error: MESH001", fix="mend")
        real(message, **words)

    environment.up = up  # type: ignore[method-assign]
    outcome, why = rollout(environment, **{**PLAN, "checks": [{"successRate": {"atLeast": 99}}]}).run()
    assert (outcome, environment.live) == (Outcome.rolled_back, BACK)
    assert "the stack file does not deploy: `pulumi up` failed" in why
    assert len([each for each in environment.ups if "back" in each]) == 3


def test_without_file_and_copy_a_person_is_told_what_to_do() -> None:
    """With the exact commands, and an exit code that is not 0."""
    environment = FakeEnvironment(errors={"v1": 0.0, "v2": 0.5})

    def none(_traffic: object) -> str:
        raise OperationError("there is no copy", fix="write it")

    environment.write_copy = none  # type: ignore[assignment,method-assign]
    environment.at.append(
        (3, lambda it: setattr(it, "unwritable", OSError(errno.EROFS, "Read-only file system")))
    )
    outcome, why = rollout(environment, **{**PLAN, "checks": [{"successRate": {"atLeast": 99}}]}).run()
    assert outcome is Outcome.failed
    assert "Read-only file system" in why
    assert "python -m operations canary --stack prod --abort" in why
    assert "kubectl patch virtualservice shop {'v1': 100, 'v2': 0}" in why


def test_a_way_back_that_fails_is_tried_again_with_a_refresh() -> None:
    """What is really there is read then: the state may be older than the cluster."""
    environment = FakeEnvironment(errors={"v1": 0.0, "v2": 0.5})
    environment.at.append((3, lambda it: setattr(it, "refuses", 2)))
    assert (
        rollout(environment, **{**PLAN, "checks": [{"successRate": {"atLeast": 99}}]}).run()[0]
        is Outcome.rolled_back
    )
    roll_back = [each for each in environment.ups if ": rollback" in each]
    assert [each.endswith(" refreshed") for each in roll_back] == [False, True, True]


@pytest.mark.parametrize("error", ERRORS)
def test_a_way_back_goes_on_whatever_an_update_raises(error: Callable[[], BaseException]) -> None:
    """No pulumi on PATH for a moment, words that are no UTF-8: the weights are not back yet."""
    environment = FakeEnvironment(errors={"v1": 0.0, "v2": 0.5})
    real, tries = environment.up, iter(range(MAX_ROLLBACK_ATTEMPTS))

    def up(message: str, **words: Any) -> None:  # noqa: ANN401
        if "back" in message and next(tries) < MAX_ROLLBACK_ATTEMPTS - 1:
            raise error()
        real(message, **words)

    environment.up = up  # type: ignore[method-assign]
    assert (
        rollout(environment, **{**PLAN, "checks": [{"successRate": {"atLeast": 99}}]}).run()[0]
        is Outcome.rolled_back
    )
    assert environment.live == BACK


def test_an_abort_during_the_way_back_is_answered() -> None:
    """It is what happens; whatever else was asked for is refused, with how it ended."""
    environment = FakeEnvironment(errors={"v1": 0.0, "v2": 0.5})
    real = environment.up

    def up(message: str, **words: Any) -> None:  # noqa: ANN401
        if "back" in message:
            environment.wishes += [Command.abort, Command.pause]
        real(message, **words)

    environment.up = up  # type: ignore[method-assign]
    rollout(environment, **{**PLAN, "checks": [{"successRate": {"atLeast": 99}}]}).run()
    ended = "the canary has ended: rolled back"
    assert environment.replies == [(ended, True), (ended, False)]


def test_each_command_is_answered_by_what_comes_of_it() -> None:
    """What would change nothing is refused."""
    environment = FakeEnvironment()
    for moment, command in enumerate(
        [Command.resume, Command.pause, Command.resume, Command.promote], start=3
    ):
        environment.at.append((float(moment), lambda it, command=command: it.wishes.append(command)))  # type: ignore[misc]
    environment.values = {"queue v2": 1, "queue v1": 1}
    assert rollout(environment, **PLAN).run()[0] is Outcome.promoted
    assert environment.replies == [
        ("the canary is not paused", False),
        ("pause requested: the step stays and is still analysed; --resume continues", True),
        ("resumed", True),
        ("v2 gets all the traffic", True),
    ]
