"""How a new version gets its traffic step by step: the plan of `python -m operations canary`.

The program deploys nothing for it. It stands in the stack file because a team reviews it there.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from components.model.route_match import Alternatives
from components.model.route_options import Percent
from components.model.text import GoDuration, GoDurationOrNone
from components.model.types import Label, Weight
from components.schema.constraints import Always, Distinct, Example, NotEmpty, Pattern, Range
from components.schema.key_groups import at_least_one, exactly_one

Command = Annotated[
    str,
    Pattern(
        pattern=r"[^\x00]*[^\x00\s][^\x00]*", description="a command", example="./load-test.sh", longest=4096
    ),
]
PromQL = Annotated[
    str,
    Pattern(
        pattern=r"[^\x00]*[^\x00\s][^\x00]*",
        description="an expression of PromQL with one value as its answer",
        example='max(queue_length{version="$version"})',
        longest=4096,
    ),
]
HookUrl = Annotated[
    str,
    Pattern(
        pattern=r"https?://[^\s/]+(?:/\S*)?|\$\{[A-Za-z_][A-Za-z0-9_]*\}\S*",
        description="an http or https URL, or ${NAME} from the environment",
        example="https://chat.example.com/hooks/releases",
        longest=2048,
    ),
]


@at_least_one("weight", "match", "mirror")
@dataclass(frozen=True, kw_only=True)
class Step:
    """What the new version gets in one step. What a step does not say, it does not have.

    A number in its place is its weight.
    """

    weight: Annotated[Weight, Example(10)] = 0
    """Its share of what the weights divide, in percent. The others share the rest as they did before."""

    match: Alternatives | None = None
    """Requests like these go to the new version, and keep what the routes do with them.

    Those that a route with `to` or `redirect` takes are left to it.
    """

    mirror: Annotated[Percent, Example(10)] | None = None
    """The share of requests in percent of which the new version gets a copy. Nobody waits for its answers."""

    hold: GoDuration | None = None
    """How long this step is watched; as long as any where absent."""

    pause: Annotated[bool, Always(only=True)] | None = None
    """Wait after this step until somebody says `--resume`."""


@at_least_one("atLeast", "belowOld")
@dataclass(frozen=True, kw_only=True)
class SuccessRate:
    """The share of answers without a status of 500 and above."""

    at_least: Annotated[Percent, Example(99)] | None = None
    """No fewer than so many percent.

    Broken where the failures show it: with 99, by 5 of 100 requests, 32 of 2,000 or 1,075 of 100,000.
    """

    below_old: Annotated[Percent, Example(1)] | None = None
    """At most so many percentage points below the old version over the same minutes."""


@at_least_one("atMost", "timesOld")
@dataclass(frozen=True, kw_only=True)
class Latency:
    """A percentile of the time to answer."""

    percentile: Annotated[float, Range(1, 99.99)] = 99.0
    """Which one."""

    at_most: Annotated[GoDuration, Example("500ms")] | None = None
    """No longer than this. Between two bounds of the mesh's histogram, the upper one counts."""

    times_old: Annotated[float, Range(0.1, 1000), Example(2)] | None = None
    """No longer than so many times that of the old version over the same minutes.

    Two percentiles in one bucket of the histogram, or in two that touch, are not different.
    """

    min_difference: Annotated[GoDurationOrNone, Example("10ms")] = "50ms"
    """A percentile that is less than this above the old version's counts for nothing, whatever the ratio.

    50ms: below it are the pauses of any proxy, pod or node that has neighbours. A service that answers in
    a few milliseconds, on nodes of its own, can do with 10ms.
    """


@at_least_one("atLeast", "atMost", "timesOld")
@dataclass(frozen=True, kw_only=True)
class Query:
    """Whatever Prometheus knows.

    In the expression, `$version`, `$service`, `$namespace` and `$window` are filled in.
    """

    name: Annotated[Label, Example("queue-length")]
    """What the check is called."""

    promql: PromQL
    """The expression."""

    at_least: Annotated[float, Example(1)] | None = None
    """No less than this."""

    at_most: Annotated[float, Example(100)] | None = None
    """No more than this."""

    times_old: Annotated[float, Range(0, 1000), Example(2)] | None = None
    """No more than so many times the old version's value: that takes `$version` in the expression."""


@exactly_one("successRate", "latency", "query")
@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that must hold for the new version."""

    success_rate: SuccessRate | None = None
    latency: Latency | None = None
    query: Query | None = None


@exactly_one("run", "post")
@dataclass(frozen=True, kw_only=True)
class Hook:
    """Something of the team's own on the way: a load test, an approval, a message to a chat.

    A command gets `CANARY_STACK`, `CANARY_SERVICE`, `CANARY_VERSION`, `CANARY_STEP`, `CANARY_WEIGHT` and
    `CANARY_OUTCOME` in its environment; a POST gets the same as JSON, with a `text` for chats.
    """

    when: Literal["start", "before-step", "after-step", "end"]
    """Before anything changes, around each step, or when all is over, however it went."""

    run: Command | Annotated[tuple[Command, ...], NotEmpty(["./load-test.sh", "60s"])] | None = None
    """A line for the shell, or a program and its words. Exit code 0 is good."""

    post: HookUrl | None = None
    """A URL; an answer of 200 to 299 is good. `${NAME}` is of the environment, so no secret stands here;
    `$NAME` without braces is not."""

    timeout: GoDuration = "1m"
    """How long it may take."""

    on_failure: Literal["rollback", "stop", "ignore"] = "rollback"
    """Go back, stop with the weights as they are, or only say so. After the end nothing is left to do."""


@dataclass(frozen=True, kw_only=True)
class Canary:
    """How a new version gets its traffic, and what must hold for it on the way."""

    steps: Annotated[
        tuple[Annotated[Weight, Example(5)] | Step, ...],
        NotEmpty([5, 10, 25, 50, 75, 100]),
        Distinct(),
    ] = (5, 10, 25, 50, 75, 100)
    """What it gets, step by step. Where the last one is not 100, that follows."""

    hold: GoDuration = "2m"
    """How long each step is watched, once the measured split is the wanted one."""

    interval: GoDuration = "20s"
    """How often the figures are judged, each time those since the last time that had requests enough."""

    checks: tuple[Check, ...] = (
        Check(success_rate=SuccessRate(at_least=99.0)),
        Check(latency=Latency(percentile=99.0, times_old=1.5)),
    )
    """What must hold."""

    warm_up: GoDurationOrNone = "20s"
    """From the first requests of new pods on: what they answer in this time is not judged, good or bad.

    Code is compiled, caches and connection pools fill. It begins again when the version gets more pods than
    it had. 20s: Prometheus has then seen each pod's first figures, by Istio's own interval of 15s.
    """

    min_requests: Annotated[int, Range(1, 1_000_000)] = 100
    """So many requests to a version make figures that count; with fewer there is no verdict.

    100 are the fewest by which a version with 5 % failures is told from one with 1 %, and a percentile of 99
    has a request beyond it.
    """

    allowed_failures: Annotated[int, Range(0, 1000)] = 1
    """So many looks at a step may go wrong; at one more, everybody goes back.

    1: what a node's or a dependency's short outage does to one look is no reason to go back.
    """

    no_data: Literal["wait", "continue", "stop"] = "wait"
    """What to do when a step's time is over without requests enough to tell good from bad.

    Wait for them, go on to the next step, or stop with the weights as they are.
    """

    confidence: Annotated[float, Range(50, 99.999)] = 99.0
    """How sure a verdict must be, in percent.

    The measured split agrees with the wanted one when it lies within this interval. A check is broken by
    figures that come up less often than the rest to 100 in a version that just keeps it.
    """

    rollback_window: GoDuration | None = None
    """How long the new version is watched with all the traffic before the canary ends.

    The old one stays ready to take everything back.
    """

    remove_old: Annotated[bool, Always(only=True)] | None = None
    """Take the versions without weight out of the stack file in the end. Else they stay, with weight 0."""

    hooks: tuple[Hook, ...] = ()
    """What else is done on the way."""
