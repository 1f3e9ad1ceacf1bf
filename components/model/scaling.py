"""How many pods a version has, how many may go at once, and how far they stand apart."""

from dataclasses import dataclass
from typing import Annotated, Literal

from components.schema.constraints import Example, Pattern, Range
from components.schema.key_groups import exactly_one


@dataclass(frozen=True, kw_only=True)
class Autoscaling:
    """Pods as they are needed. The stack then leaves their number alone.

    From `replicas` to `autoscaling` the number stays as it is until the autoscaler changes it.
    """

    min: Annotated[int, Range(1, 1000), Example(2)]
    """The fewest pods. The version gets its first request once so many are ready."""

    max: Annotated[int, Range(1, 1000), Example(10)]

    cpu: Annotated[int, Range(1, 1000)] = 80
    """The CPU that the app's container uses on average, in percent of what it requests."""


PodCount = (
    Annotated[int, Range(1, 1000)]
    | Annotated[
        str,
        Pattern(
            pattern=r"(?:[1-9]?[0-9]|100)%",
            description="a number of pods, or a share of them: 50%",
            example="50%",
        ),
    ]
)


@exactly_one("minAvailable", "maxUnavailable")
@dataclass(frozen=True, kw_only=True)
class DisruptionBudget:
    """How many pods may be taken away at once when nodes are drained."""

    min_available: PodCount | None = None
    max_unavailable: PodCount | None = None


@dataclass(frozen=True, kw_only=True)
class Spread:
    """How far the pods of a version stand apart."""

    over: Literal["zone", "node"]
    """What they are spread over."""

    max_skew: Annotated[int, Range(1, 100)] = 1
    """By how many pods two of them may differ."""

    required: bool = False
    """Whether a pod waits rather than break it."""
