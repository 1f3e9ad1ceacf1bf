"""The plan of `python -m operations canary`, which shifts traffic to a new version in steps.

The program deploys nothing for it. It is in the stack file so that a team can review it there.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from components.model.http_types import GoDuration, GoDurationOrNone
from components.model.route_match import Alternatives
from components.model.route_options import Percent
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
        description="a PromQL expression with a single value as its result",
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
    """The traffic of the new version in one step. Absent keys are not inherited from the step before.

    A number instead of a table is its weight.
    """

    weight: Annotated[Weight, Example(10)] = 0
    """The weight of the new version, in percent. The other versions share the rest in their former ratio."""

    match: Alternatives | None = None
    """Requests that match go to the new version, with the options of their routes.

    Requests that a route with `to` or `redirect` matches stay with that route.
    """

    mirror: Annotated[Percent, Example(10)] | None = None
    """The percentage of requests of which the new version gets a copy. Its responses are discarded."""

    hold: GoDuration | None = None
    """How long this step is observed; the canary's `hold` where absent."""

    pause: Annotated[bool, Always(only=True)] | None = None
    """Wait after this step for `--resume`."""


@at_least_one("atLeast", "belowOld")
@dataclass(frozen=True, kw_only=True)
class SuccessRate:
    """The percentage of responses with a status below 500."""

    at_least: Annotated[Percent, Example(99)] | None = None
    """The minimum, in percent.

    The check fails when the failures are significant: with 99, 5 of 100 requests, 32 of 2,000 or 1,075 of
    100,000.
    """

    below_old: Annotated[Percent, Example(1)] | None = None
    """The maximal difference to the old version over the same time, in percentage points."""


@at_least_one("atMost", "timesOld")
@dataclass(frozen=True, kw_only=True)
class Latency:
    """A percentile of the response time."""

    percentile: Annotated[float, Range(1, 99.99)] = 99.0
    """The percentile."""

    at_most: Annotated[GoDuration, Example("500ms")] | None = None
    """The maximum. Between two bounds of the mesh's histogram, the upper one is used."""

    times_old: Annotated[float, Range(0.1, 1000), Example(2)] | None = None
    """The maximal ratio to the old version over the same time.

    Percentiles in the same or in adjacent buckets of the histogram count as equal.
    """

    min_difference: Annotated[GoDurationOrNone, Example("10ms")] = "50ms"
    """A smaller difference to the old version is ignored, whatever the ratio.

    50ms: pauses of a proxy, pod or node that shares its machine are shorter. 10ms suits a service that
    responds in a few milliseconds on nodes of its own.
    """


@at_least_one("atLeast", "atMost", "timesOld")
@dataclass(frozen=True, kw_only=True)
class Query:
    """A query of your own to Prometheus.

    `$version`, `$service`, `$namespace` and `$window` are replaced in the expression.
    """

    name: Annotated[Label, Example("queue-length")]
    """The name of the check."""

    promql: PromQL
    """The expression."""

    at_least: Annotated[float, Example(1)] | None = None
    """The minimum."""

    at_most: Annotated[float, Example(100)] | None = None
    """The maximum."""

    times_old: Annotated[float, Range(0, 1000), Example(2)] | None = None
    """The maximal ratio to the old version's value; the expression must contain `$version`."""


@exactly_one("successRate", "latency", "query")
@dataclass(frozen=True, kw_only=True)
class Check:
    """One condition that the new version must meet."""

    success_rate: SuccessRate | None = None
    latency: Latency | None = None
    query: Query | None = None


@exactly_one("run", "post")
@dataclass(frozen=True, kw_only=True)
class Hook:
    """A command or request of your own: a load test, an approval, a message to a chat.

    A command gets `CANARY_STACK`, `CANARY_SERVICE`, `CANARY_VERSION`, `CANARY_STEP`, `CANARY_WEIGHT` and
    `CANARY_OUTCOME` as environment variables; a POST gets the same as JSON, with a `text` for chats.
    """

    when: Literal["start", "before-step", "after-step", "end"]
    """Before the first change, before or after each step, or at the end, whatever the outcome."""

    run: Command | Annotated[tuple[Command, ...], NotEmpty(["./load-test.sh", "60s"])] | None = None
    """A shell command, or a program and its arguments. Exit code 0 is success."""

    post: HookUrl | None = None
    """A URL; a status of 200 to 299 is success. `${NAME}` is replaced by an environment variable, so that
    the file contains no secret; `$NAME` without braces is not replaced."""

    timeout: GoDuration = "1m"
    """The maximal duration."""

    on_failure: Literal["rollback", "stop", "ignore"] = "rollback"
    """Roll back, stop with the current weights, or only report the failure. It has no effect at `end`."""


@dataclass(frozen=True, kw_only=True)
class Canary:
    """The steps that shift traffic to a new version, and the checks that it must pass."""

    steps: Annotated[
        tuple[Annotated[Weight, Example(5)] | Step, ...],
        NotEmpty([5, 10, 25, 50, 75, 100]),
        Distinct(),
    ] = (5, 10, 25, 50, 75, 100)
    """The weights of the new version, step by step. If the last one is not 100, a step of 100 is added."""

    hold: GoDuration = "2m"
    """How long each step is observed, once the measured split agrees with the weights."""

    interval: GoDuration = "20s"
    """How often the checks are evaluated, each time for all requests since the last verdict."""

    checks: tuple[Check, ...] = (
        Check(success_rate=SuccessRate(at_least=99.0)),
        Check(latency=Latency(percentile=99.0, times_old=1.5)),
    )
    """The checks that the new version must pass."""

    warm_up: GoDurationOrNone = "20s"
    """The time after the first requests to new pods in which responses are ignored.

    Code is compiled, and caches and connection pools fill. It restarts when the version gets more pods. 20s:
    by then Prometheus has scraped each pod, with Istio's interval of 15s.
    """

    min_requests: Annotated[int, Range(1, 1_000_000)] = 100
    """The minimal number of requests to a version for a verdict.

    100 is the smallest number that distinguishes 5 % failures from 1 %, and that has a request above the 99th
    percentile.
    """

    allowed_failures: Annotated[int, Range(0, 1000)] = 1
    """How many failed samples of a step are tolerated; one more rolls back.

    1: a short outage of a node or a dependency must not cause a rollback.
    """

    no_data: Literal["wait", "continue", "stop"] = "wait"
    """What to do at the end of a step without enough requests for a verdict.

    Wait for them, continue with the next step, or stop with the current weights.
    """

    confidence: Annotated[float, Range(50, 99.999)] = 99.0
    """The confidence of a verdict, in percent.

    The measured split agrees with the weights if it is within this interval. A check fails if a version that
    exactly meets the threshold would produce such metrics with a probability below 100 minus this.
    """

    rollback_window: GoDuration | None = None
    """How long the new version is observed with all the traffic before the canary ends.

    Meanwhile the pods of the old version stay ready for a rollback.
    """

    remove_old: Annotated[bool, Always(only=True)] | None = None
    """Remove versions without weight from the stack file at the end. Otherwise they stay, with weight 0."""

    hooks: tuple[Hook, ...] = ()
    """Commands and requests to run before, during and after the canary."""
