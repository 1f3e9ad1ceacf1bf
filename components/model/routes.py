"""Routes above the weights, and the cookie that binds a user to a version."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from components.model.fault_injection import FaultInjection
from components.model.http_types import CookieName, GoDurationOrNone, WholeSeconds
from components.model.retries import Retries
from components.model.rewrite import Redirect, Rewrite
from components.model.route_match import Alternatives
from components.model.route_options import Mirror, RouteOptions
from components.model.types import Label, Weight
from components.schema.constraints import Always, Example, NotEmpty
from components.schema.key_groups import at_most_one

Split = Annotated[Mapping[str, Annotated[Weight, Example(100)]], NotEmpty({"v1": 100})]
"""Shares of traffic by version, in whole percent."""


@at_most_one("to", "redirect")
@dataclass(frozen=True, kw_only=True)
class Route(Alternatives, RouteOptions):
    """A route for some requests. Routes are tried in the order of the list.

    A route without `to` and `redirect` follows the service's weights, cookie and mirror.
    """

    name: Annotated[Label, Example("insiders")]
    """The route's name, in previews and in Envoy's statistics."""

    to: Annotated[str, Example("v2")] | Split | None = None
    """A version, or weights of the route's own that sum to 100. A canary does not change such a route.

    Without it the requests are divided by the service's weights, which every step of a canary changes.
    """

    inherit: Annotated[bool, Always(only=True)] | None = None
    """The route only decides the version of these requests.

    All options (rewrite, timeout, headers and so on) come from the first route below that matches and follows
    the weights, else from the service. Requests that a route with `to` or `redirect` matches stay with that
    route.
    """

    redirect: Redirect | None = None
    """A redirect, instead of a version."""

    mirror: Mirror | None = None
    """A version that gets copies of the requests; the service's mirror if absent and without `to`."""

    timeout: GoDurationOrNone | None = None
    """The timeout of a request with all its retries; the service's where absent, no limit with `0s`."""

    retries: Retries | None = None
    """The retries of failed requests; the service's where absent."""

    fault: FaultInjection | None = None
    """Fault injection. Only a route can have it, so that it never affects all traffic."""

    rewrite: Rewrite | None = None
    """Another path or host for the request that the version gets."""

    @property
    def follows(self) -> bool:
        """Whether the service's weights divide these requests."""
        return self.to is None and self.redirect is None


@dataclass(frozen=True, kw_only=True)
class Sticky:
    """While traffic is divided, a user stays at the version of the first response.

    Istio's own cookie (consistentHash) selects among the pods of one version, after the weights have selected
    the version. This cookie has a route of its own above the weights.
    """

    cookie: CookieName
    """The name of the cookie that contains the version."""

    ttl: WholeSeconds | None = None
    """How long a browser stores it; until the browser is closed where absent."""
