"""Routing by the localities (region, zone) of the caller and of the version's pods."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from components.schema.constraints import Always, Example, NotEmpty, Pattern, Range
from components.schema.key_groups import exactly_one

Region = Annotated[
    str,
    Pattern(
        pattern=r"[^/*\s]+",
        description="a region, without zone and without '*'",
        example="eu-west-1",
        longest=63,
    ),
]
Locality = Annotated[
    str,
    Pattern(
        pattern=r"\*|[^/*\s]+(?:/(?:\*|[^/*\s]+(?:/(?:\*|[^/*\s]+))?))?",
        description="region, region/zone or region/zone/subzone, with '*' only for the last part",
        example="eu-west-1/zone-a/*",
        longest=253,
    ),
]


@dataclass(frozen=True, kw_only=True)
class Failover:
    """The region that gets the traffic when another has too few healthy pods."""

    from_: Annotated[Region, Example("eu-west-1")]
    to: Annotated[Region, Example("eu-central-1")]


@dataclass(frozen=True, kw_only=True)
class Distribute:
    """How the traffic of callers in a locality is divided."""

    from_: Annotated[Locality, Example("eu-west-1/*")]

    to: Annotated[
        Mapping[Locality, Annotated[int, Range(1, 100), Example(100)]],
        NotEmpty({"eu-west-1/*": 80, "eu-central-1/*": 20}),
    ]
    """Shares by locality, in whole percent. They sum to 100."""


@exactly_one("failover", "distribute", "enabled")
@dataclass(frozen=True, kw_only=True)
class LocalityPolicy:
    """Routing by the localities (region, zone) of the caller and of the version's pods."""

    failover: (
        Annotated[tuple[Failover, ...], NotEmpty([{"from": "eu-west-1", "to": "eu-central-1"}])] | None
    ) = None
    """Other regions to use when one fails. It needs `outliers`, which detect failing pods."""

    distribute: (
        Annotated[tuple[Distribute, ...], NotEmpty([{"from": "eu-west-1/*", "to": {"eu-west-1/*": 100}}])]
        | None
    ) = None
    """Fixed shares by locality."""

    enabled: Annotated[bool, Always(only=False), Example(value=False)] | None = None
    """`false`: requests go to the pods of all zones equally.

    By default a proxy with `outliers` for a version prefers the version's pods in its own zone while enough
    of them are healthy, so that pods in zones with few callers are idle.
    """
