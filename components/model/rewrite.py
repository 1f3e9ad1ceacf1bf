"""Rewrites and redirects."""

from dataclasses import dataclass
from typing import Annotated, Literal

from components.model.http_types import Authority, Expression, PlainText
from components.model.types import Port, UrlPath
from components.schema.constraints import Example
from components.schema.key_groups import at_least_one, at_most_one


@dataclass(frozen=True, kw_only=True)
class UriRegex:
    """A rewrite of the path by a regular expression."""

    match: Annotated[Expression, Example("/v1/(.*)")]
    """The RE2 expression for the path to replace."""

    rewrite: Annotated[PlainText, Example(r"/\1")]
    """The new path; `\\1` is the text of the first group."""


@at_most_one("uri", "uriRegex")
@at_least_one("uri", "uriRegex", "authority")
@dataclass(frozen=True, kw_only=True)
class Rewrite:
    """The version gets the request with another path or host."""

    uri: UrlPath | None = None
    """The new path, which replaces the prefix that the route matched, or the whole path of an exact match.

    If the prefix or the new path ends with `/`, one `/` remains between the new path and the rest: with the
    prefix `/api` and the new path `/`, `/api/x` becomes `/x`.
    """

    uri_regex: UriRegex | None = None
    """A new path that is derived from the old one."""

    authority: Authority | None = None
    """The new host."""


@at_least_one("uri", "authority", "port", "scheme")
@dataclass(frozen=True, kw_only=True)
class Redirect:
    """Clients are redirected."""

    uri: UrlPath | None = None
    """The path of the target; the same path where absent."""

    authority: Authority | None = None
    """The host of the target; the same host where absent."""

    port: Annotated[Port, Example(443)] | None = None
    """The port of the target."""

    scheme: Literal["http", "https"] | None = None
    """The scheme of the target."""

    code: Literal["301", "302", "303", "307", "308"] = "301"
    """The status of the response. 307 and 308 preserve the method."""
