"""All rules: those for traffic first, then those for workloads."""

from typing import Final

from mesh_rules import availability, containers, encryption, membership, privileges, routes, subsets
from mesh_rules.rule import Rule

RULES: Final[tuple[Rule, ...]] = (
    *routes.RULES,
    *subsets.RULES,
    *membership.RULES,
    *containers.RULES,
    *privileges.RULES,
    *encryption.RULES,
    *availability.RULES,
)
