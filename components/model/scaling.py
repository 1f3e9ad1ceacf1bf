"""Autoscaling, disruption budgets and spread of a version's pods."""

from dataclasses import dataclass
from typing import Annotated, Literal

from components.schema.constraints import Example, Pattern, Range
from components.schema.key_groups import exactly_one


@dataclass(frozen=True, kw_only=True)
class Autoscaling:
    """A HorizontalPodAutoscaler for the version. The stack then does not set the number of pods.

    After a change from `replicas` to `autoscaling` the number stays as it is until the autoscaler changes it.
    """

    min: Annotated[int, Range(1, 1000), Example(2)]
    """The minimal number of pods. The version gets its first request when so many are ready."""

    max: Annotated[int, Range(1, 1000), Example(10)]

    cpu: Annotated[int, Range(1, 1000)] = 80
    """The target for the average CPU of the app's container, in percent of its request."""


PodCount = (
    Annotated[int, Range(1, 1000)]
    | Annotated[
        str,
        Pattern(
            pattern=r"(?:[1-9]?[0-9]|100)%",
            description="a number of pods, or a percentage of them: 50%",
            example="50%",
        ),
    ]
)


@exactly_one("minAvailable", "maxUnavailable")
@dataclass(frozen=True, kw_only=True)
class DisruptionBudget:
    """How many pods may be evicted at once when nodes are drained."""

    min_available: PodCount | None = None
    max_unavailable: PodCount | None = None


@dataclass(frozen=True, kw_only=True)
class Spread:
    """How the pods of a version are spread over the cluster."""

    over: Literal["zone", "node"]
    """The domains over which they are spread."""

    max_skew: Annotated[int, Range(1, 100)] = 1
    """The maximal difference in the number of pods between two domains."""

    required: bool = False
    """Whether a pod stays pending rather than violate the spread."""
