"""The conditions of a route."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from components.model.http_types import (
    CookieName,
    Expression,
    HeaderName,
    Method,
    ParameterName,
    PlainText,
)
from components.model.types import Label, LabelKey, LabelValue, UrlPath
from components.schema.constraints import Distinct, Example, NotEmpty
from components.schema.key_groups import at_least_one, exactly_one


@exactly_one("exact", "prefix", "regex")
@dataclass(frozen=True, kw_only=True)
class TextMatch:
    """How a text is compared. Text in its place means `exact`."""

    exact: PlainText | None = None
    """The whole text."""

    prefix: PlainText | None = None
    """How the text begins."""

    regex: Expression | None = None
    """An RE2 expression for the whole text."""


@exactly_one("exact", "prefix", "regex", "present")
@dataclass(frozen=True, kw_only=True)
class ValueMatch:
    """How the value of a header or cookie is compared. Text in its place means `exact`."""

    exact: PlainText | None = None
    """The whole value."""

    prefix: PlainText | None = None
    """How the value begins."""

    regex: Expression | None = None
    """An RE2 expression for the whole value."""

    present: bool | None = None
    """`true`: present with any value. `false`: absent."""


@exactly_one("exact", "prefix", "regex")
@dataclass(frozen=True, kw_only=True)
class UriMatch:
    """How the path of a request is compared. Text in its place means `exact`."""

    exact: UrlPath | None = None
    """The whole path."""

    prefix: Annotated[UrlPath, Example("/beta")] | None = None
    """The literal beginning of the path: `/be` matches `/beta` too."""

    regex: Annotated[Expression, Example("/items/[0-9]+")] | None = None
    """An RE2 expression for the whole path."""


@at_least_one("namespace", "labels")
@dataclass(frozen=True, kw_only=True)
class Source:
    """The caller. Only callers inside the mesh have a source."""

    namespace: Annotated[Label, Example("staging")] | None = None
    """The namespace of the calling pod."""

    labels: Mapping[LabelKey, LabelValue] = field(default_factory=dict)
    """The labels that the calling pod must have."""


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """The conditions of a request, which must all be met."""

    headers: Annotated[Mapping[HeaderName, PlainText | ValueMatch], Example({"x-user-group": "insider"})] = (
        field(default_factory=dict)
    )
    """Headers by name."""

    cookies: Mapping[CookieName, PlainText | ValueMatch] = field(default_factory=dict)
    """Cookies by name. Istio cannot match cookies: they become an expression on the header `cookie`."""

    uri: UrlPath | UriMatch | None = None
    """The path, without the query."""

    method: Method | Annotated[tuple[Method, ...], NotEmpty(["GET"]), Distinct()] | None = None
    """The method, or several of which one must match."""

    query: Mapping[ParameterName, PlainText | TextMatch] = field(default_factory=dict)
    """Query parameters by name."""

    authority: PlainText | TextMatch | None = None
    """The host of the request, with the port if the client sends one."""

    source: Source | None = None
    """The caller in the mesh. Not allowed with `mesh: false`."""


_CONDITIONS = ("headers", "cookies", "uri", "method", "query", "authority", "source")


@at_least_one(*_CONDITIONS)
@dataclass(frozen=True, kw_only=True)
class Match(Conditions):
    """One alternative of a route."""


@at_least_one(*_CONDITIONS, "anyOf")
@dataclass(frozen=True, kw_only=True)
class Alternatives(Conditions):
    """The conditions of a route, and alternatives of which one must be met too."""

    any_of: Annotated[tuple[Match, ...], Distinct()] = ()
    """Alternatives, of which one must be met. The route's other conditions apply to each of them."""
