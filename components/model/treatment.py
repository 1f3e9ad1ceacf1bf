"""What is done with the requests of a route on their way."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from components.choices import at_least_one, at_most_one
from components.constraints import Distinct, Example, NotEmpty, Range
from components.model.matching import TextMatch
from components.model.names import Port, UrlPath
from components.model.text import (
    Authority,
    Expression,
    GoDuration,
    HeaderName,
    HeaderValue,
    Method,
    PlainText,
    WholeSeconds,
)

Percent = Annotated[float, Range(0, 100)]

RetryOn = Literal[
    "5xx", "gateway-error", "reset", "reset-before-request", "connect-failure", "retriable-4xx",
    "refused-stream", "retriable-status-codes", "retriable-headers", "envoy-ratelimited",
    "http3-post-connect-failure",
    "cancelled", "deadline-exceeded", "internal", "resource-exhausted", "unavailable",
    "408", "409", "425", "429", "500", "502", "503", "504",
]  # fmt: skip
"""What Istio's webhook takes: pkg/config/validation, supportedRetryOnPolicies, and status codes worth it."""


@dataclass(frozen=True, kw_only=True)
class Retries:
    """Whether a failed request is tried again. Where a route says nothing, Istio tries twice."""

    attempts: Annotated[int, Range(0, 100), Example(2)]
    """How often at most, after the first time. 0: never."""

    per_try_timeout: GoDuration | None = None
    """How long each try may take; the timeout of the whole request where absent."""

    retry_on: Annotated[tuple[RetryOn, ...], Distinct()] = ()
    """After which failures; Istio's choice where absent. Safe for any request: what never reached the app."""


@dataclass(frozen=True, kw_only=True)
class Mirror:
    """Copies of requests for a version. Nobody waits for its answers."""

    to: Annotated[str, Example("v2")]
    """The version that gets the copies."""

    percent: Percent = 100.0
    """The share of requests that is copied. All of them where absent, as in Istio."""


@dataclass(frozen=True, kw_only=True)
class Delay:
    """Requests wait before they go on."""

    time: GoDuration
    """How long."""

    percent: Percent = 100.0
    """The share of requests."""


@dataclass(frozen=True, kw_only=True)
class Abort:
    """Requests are answered by the proxy and never reach a version."""

    status: Annotated[int, Range(200, 599), Example(503)]
    """The status of the answer."""

    percent: Percent = 100.0
    """The share of requests."""


@at_least_one("delay", "abort")
@dataclass(frozen=True, kw_only=True)
class FaultInjection:
    """Trouble on purpose, for the requests of one route."""

    delay: Delay | None = None
    abort: Abort | None = None


@dataclass(frozen=True, kw_only=True)
class UriRegex:
    """A rewrite of the path by an expression."""

    match: Annotated[Expression, Example("/v1/(.*)")]
    """What is replaced."""

    rewrite: Annotated[PlainText, Example(r"/\1")]
    """What takes its place; `\\1` is what the first group matched."""


@at_most_one("uri", "uriRegex")
@at_least_one("uri", "uriRegex", "authority")
@dataclass(frozen=True, kw_only=True)
class Rewrite:
    """Requests reach the version with another path or host than they came with."""

    uri: UrlPath | None = None
    """The new path, in place of the part that the route's prefix matched, or of all of it."""

    uri_regex: UriRegex | None = None
    """A new path made from the old one."""

    authority: Authority | None = None
    """The new host."""


@at_least_one("uri", "authority", "port", "scheme")
@dataclass(frozen=True, kw_only=True)
class Redirect:
    """Clients are sent elsewhere."""

    uri: UrlPath | None = None
    """The path to go to; the same path where absent."""

    authority: Authority | None = None
    """The host to go to; the same host where absent."""

    port: Annotated[Port, Example(443)] | None = None
    """The port to go to."""

    scheme: Literal["http", "https"] | None = None
    """The scheme to go on with."""

    code: Literal["301", "302", "303", "307", "308"] = "301"
    """The status of the answer. 307 and 308 keep the method."""


@at_least_one("set", "add", "remove")
@dataclass(frozen=True, kw_only=True)
class HeaderChanges:
    """Headers that are changed on the way. Envoy sets and adds first, then removes."""

    set: Annotated[Mapping[HeaderName, HeaderValue], Example({"x-team": "shop"})] = field(
        default_factory=dict
    )
    """Headers that have this value afterwards, and no other."""

    add: Mapping[HeaderName, HeaderValue] = field(default_factory=dict)
    """Values beside those that are there."""

    remove: Annotated[tuple[HeaderName, ...], Distinct()] = ()
    """Headers that are gone afterwards."""


@dataclass(frozen=True, kw_only=True)
class Cors:
    """Which pages of other origins may call."""

    allow_origins: Annotated[tuple[PlainText | TextMatch, ...], NotEmpty(["https://shop.example.com"])]
    """Origins, exact or by prefix or expression."""

    allow_methods: Annotated[tuple[Method | Literal["*"], ...], Distinct()] = ()
    allow_headers: Annotated[tuple[HeaderName | Literal["*"], ...], Distinct()] = ()
    expose_headers: Annotated[tuple[HeaderName | Literal["*"], ...], Distinct()] = ()

    max_age: WholeSeconds | None = None
    """How long a browser remembers the answer."""

    allow_credentials: bool | None = None
    """Whether cookies come along."""


@dataclass(frozen=True, kw_only=True)
class Treatment:
    """What a route does with its requests, or a service with those of every route that says nothing."""

    cors: Cors | None = None
    """Which pages of other origins may call."""

    request_headers: HeaderChanges | None = None
    """Changes to headers on the way in."""

    response_headers: HeaderChanges | None = None
    """Changes to headers on the way out."""
