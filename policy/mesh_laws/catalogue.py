"""All laws, in the order of a reader: the traffic first, then what carries it."""

from typing import Final

from mesh_laws import availability, containers, encryption, membership, privileges, routes, subsets
from mesh_laws.law import Law

LAWS: Final[tuple[Law, ...]] = (
    *routes.LAWS,
    *subsets.LAWS,
    *membership.LAWS,
    *containers.LAWS,
    *privileges.LAWS,
    *encryption.LAWS,
    *availability.LAWS,
)
