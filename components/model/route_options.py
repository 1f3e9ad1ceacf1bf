"""The options of routes: mirror, headers, CORS."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from components.model.http_types import HeaderName, HeaderValue, Method, PlainText, WholeSeconds
from components.model.route_match import TextMatch
from components.schema.constraints import Distinct, Example, NotEmpty, Range
from components.schema.key_groups import at_least_one

Percent = Annotated[float, Range(0, 100)]


@dataclass(frozen=True, kw_only=True)
class Mirror:
    """A version gets copies of requests. Its responses are discarded."""

    to: Annotated[str, Example("v2")]
    """The version that gets the copies."""

    percent: Percent = 100.0
    """The percentage of requests that is copied. 100 is Istio's default too."""


@at_least_one("set", "add", "remove")
@dataclass(frozen=True, kw_only=True)
class HeaderChanges:
    """Changes to headers. Envoy sets and adds first, then removes."""

    set: Annotated[Mapping[HeaderName, HeaderValue], Example({"x-team": "shop"})] = field(
        default_factory=dict
    )
    """Headers whose value is replaced."""

    add: Mapping[HeaderName, HeaderValue] = field(default_factory=dict)
    """Values that are added to existing ones."""

    remove: Annotated[tuple[HeaderName, ...], Distinct()] = ()
    """Headers that are removed."""


@dataclass(frozen=True, kw_only=True)
class Cors:
    """The pages of other origins that may call the service from a browser."""

    allow_origins: Annotated[tuple[PlainText | TextMatch, ...], NotEmpty(["https://shop.example.com"])]
    """Origins: exact, by prefix or by expression."""

    allow_methods: Annotated[tuple[Method | Literal["*"], ...], Distinct()] = ()
    allow_headers: Annotated[tuple[HeaderName | Literal["*"], ...], Distinct()] = ()
    expose_headers: Annotated[tuple[HeaderName | Literal["*"], ...], Distinct()] = ()

    max_age: WholeSeconds | None = None
    """How long a browser caches a preflight response."""

    allow_credentials: bool | None = None
    """Whether browsers may send cookies."""


@dataclass(frozen=True, kw_only=True)
class RouteOptions:
    """The options of a route, or the service's defaults for all routes."""

    cors: Cors | None = None
    """The pages of other origins that may call the service from a browser."""

    request_headers: HeaderChanges | None = None
    """Changes to headers of requests."""

    response_headers: HeaderChanges | None = None
    """Changes to headers of responses."""
