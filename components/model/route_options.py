"""What is done with the requests of a route on their way."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from components.model.route_match import TextMatch
from components.model.text import HeaderName, HeaderValue, Method, PlainText, WholeSeconds
from components.schema.constraints import Distinct, Example, NotEmpty, Range
from components.schema.key_groups import at_least_one

Percent = Annotated[float, Range(0, 100)]


@dataclass(frozen=True, kw_only=True)
class Mirror:
    """Copies of requests for a version. Nobody waits for its answers."""

    to: Annotated[str, Example("v2")]
    """The version that gets the copies."""

    percent: Percent = 100.0
    """The share of requests that is copied. All of them where absent, as in Istio."""


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
