"""Fault injection, to test how callers handle slow and failing responses."""

from dataclasses import dataclass
from typing import Annotated

from components.model.http_types import GoDuration
from components.model.route_options import Percent
from components.schema.constraints import Example, Range
from components.schema.key_groups import at_least_one


@dataclass(frozen=True, kw_only=True)
class Delay:
    """Requests are delayed before they are forwarded."""

    time: GoDuration
    """The delay."""

    percent: Percent = 100.0
    """The percentage of requests."""


@dataclass(frozen=True, kw_only=True)
class Abort:
    """Requests are answered by the proxy and do not reach a version."""

    status: Annotated[int, Range(200, 599), Example(503)]
    """The status of the response."""

    percent: Percent = 100.0
    """The percentage of requests."""


@at_least_one("delay", "abort")
@dataclass(frozen=True, kw_only=True)
class FaultInjection:
    """Fault injection for the requests of one route."""

    delay: Delay | None = None
    abort: Abort | None = None
