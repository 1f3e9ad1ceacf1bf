"""Requests that go on under another address, and clients that are sent to one."""

from dataclasses import dataclass
from typing import Annotated, Literal

from components.model.text import Authority, Expression, PlainText
from components.model.types import Port, UrlPath
from components.schema.constraints import Example
from components.schema.key_groups import at_least_one, at_most_one


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
    """The new path, in place of the part that the route's prefix matched, or of a path compared whole.

    Where the prefix or the new path ends with `/`, one `/` stands between the new path and the rest: of
    `/api/x` the prefix `/api` and the new path `/` leave `/x`.
    """

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
