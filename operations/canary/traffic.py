"""The traffic of a step, in the keys of the stack file. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from operations.canary.plan import WHOLE, Plan, Step

ROUTE: Final = "canary"
"""The name of the route that a step with `match` puts before all others."""


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """The traffic of a service during a step."""

    weights: Mapping[str, int]
    """Of every version, in percent; they sum to 100."""
    route: Mapping[str, Any] | None = None
    """A route before all others that only chooses the version, in the keys of the stack file."""
    mirror: Mapping[str, Any] | None = None
    """The copies for a version, in the keys of the stack file."""
    owns_mirror: bool = False
    """Whether the canary sets the key `mirror`; otherwise the service's own mirror stays as it is."""


def of_step(step: Step, plan: Plan, to: str, before: Mapping[str, int]) -> Traffic:
    """Return the traffic of a step for a service whose weights were `before`."""
    return Traffic(
        weights=shares(before, to, step.weight),
        route={"name": ROUTE, **step.match, "to": to, "inherit": True} if step.match else None,
        mirror={"to": to, "percent": step.mirror} if step.mirror else None,
        owns_mirror=plan.mirrors,
    )


def unmoved(plan: Plan, before: Mapping[str, int]) -> Traffic:
    """Return the traffic before the first step."""
    return Traffic(weights=dict(before), owns_mirror=plan.mirrors)


def roll_back(plan: Plan, to: str, before: Mapping[str, int]) -> Traffic:
    """Return the traffic without the new version."""
    return Traffic(weights=shares(before, to, 0), owns_mirror=plan.mirrors)


def shares(before: Mapping[str, int], to: str, weight: int) -> dict[str, int]:
    """Give a version its weight, and divide the rest between the others in their present proportions.

    In whole percents: those that lose most by rounding down get the remainder.
    """
    others = {version: share for version, share in before.items() if version != to}
    whole, left = sum(others.values()), WHOLE - weight
    exact = {version: left * share / whole for version, share in others.items()}
    given = {version: int(share) for version, share in exact.items()}
    order = sorted(exact, key=lambda version: given[version] - exact[version])
    for version in order[: left - sum(given.values())]:
        given[version] += 1
    return {version: weight if version == to else given[version] for version in before}


def heaviest(before: Mapping[str, int], to: str) -> str:
    """Return the version that the new one is compared with."""
    others = {version: share for version, share in before.items() if version != to}
    return max(others, key=lambda version: others[version])
