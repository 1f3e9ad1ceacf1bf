"""All laws, in the order of a reader: the traffic first, then what carries it."""

from typing import Final

from mesh_rules import availability, containers, encryption, membership, privileges, routes, subsets
from mesh_rules.rule import Rule

LAWS: Final[tuple[Rule, ...]] = (
    *routes.LAWS,
    *subsets.LAWS,
    *membership.LAWS,
    *containers.LAWS,
    *privileges.LAWS,
    *encryption.LAWS,
    *availability.LAWS,
)
