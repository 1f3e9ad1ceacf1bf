"""Trouble on purpose, to see what callers make of it."""

from dataclasses import dataclass
from typing import Annotated

from components.model.route_options import Percent
from components.model.text import GoDuration
from components.schema.constraints import Example, Range
from components.schema.key_groups import at_least_one


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
