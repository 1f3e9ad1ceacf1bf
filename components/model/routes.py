"""Routes above the weights, and the cookie that keeps a user at a version."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from components.model.fault_injection import FaultInjection
from components.model.retries import Retries
from components.model.rewrite import Redirect, Rewrite
from components.model.route_match import Alternatives
from components.model.route_options import Mirror, Treatment
from components.model.text import CookieName, Timeout, WholeSeconds
from components.model.types import Label, Weight
from components.schema.constraints import Always, Example, NotEmpty
from components.schema.key_groups import at_most_one

Split = Annotated[Mapping[str, Annotated[Weight, Example(100)]], NotEmpty({"v1": 100})]
"""Shares of traffic by version, in whole percent."""


@at_most_one("to", "redirect")
@dataclass(frozen=True, kw_only=True)
class Route(Alternatives, Treatment):
    """Requests of a kind, and what is done with them. Routes are tried in the order of the list.

    A route without `to` and `redirect` follows the service's weights, and its cookie and mirror.
    """

    name: Annotated[Label, Example("insiders")]
    """The route's name, in previews and in Envoy's statistics."""

    to: Annotated[str, Example("v2")] | Split | None = None
    """A version, or weights of the route's own that sum to 100. Such a route is not moved by a canary.

    Without it the requests are divided by the service's weights, and every step of a canary moves them.
    """

    inherit: Annotated[bool, Always(only=True)] | None = None
    """The route only decides which version gets these requests.

    What is done with a request comes from the first route below that takes it and follows the weights, else
    from the service: rewrite, timeout, headers and all the rest. A request that a route with `to` or
    `redirect` takes is left to that route.
    """

    redirect: Redirect | None = None
    """Another address for the client to go to, instead of a version."""

    mirror: Mirror | None = None
    """Copies of the requests for a version; the service's where absent and the route follows the weights."""

    timeout: Timeout | None = None
    """How long a request may take in all; the service's where absent, no limit with `0s`."""

    retries: Retries | None = None
    """Whether a failed request is tried again; the service's where absent."""

    fault: FaultInjection | None = None
    """Trouble on purpose. Only a route can have it: never all traffic."""

    rewrite: Rewrite | None = None
    """Another path or host for the version to see."""

    @property
    def follows(self) -> bool:
        """Whether the service's weights divide these requests."""
        return self.to is None and self.redirect is None


@dataclass(frozen=True, kw_only=True)
class Sticky:
    """While traffic is divided, a user stays at the version that answered first.

    Istio's own cookie (consistentHash) chooses among the pods of one version, after the weights have chosen
    the version. This one has a route of its own above the weights.
    """

    cookie: CookieName
    """The name of the cookie that holds the version."""

    ttl: WholeSeconds | None = None
    """How long a browser keeps it; until it is closed where absent."""
