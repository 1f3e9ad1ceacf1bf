"""How requests come into the mesh: hosts, ports, certificates."""

from dataclasses import dataclass
from typing import Annotated, Literal

from components.model.types import Host, NamespacedName, ObjectName, Port
from components.schema.constraints import Distinct, Example, NotEmpty
from components.schema.key_groups import at_most_one


def covers(wide: str, host: str) -> bool:
    """Tell whether a host with `*` stands for another one too."""
    return wide.startswith("*") and wide != host and host.endswith(wide[1:])


@dataclass(frozen=True, kw_only=True)
class Tls:
    """HTTPS, ended at the gateway."""

    secret: Annotated[ObjectName, Example("shop-certificate")]
    """The Secret with certificate and key, in the namespace of the gateway's pods. Nobody reads it here."""

    mode: Literal["SIMPLE", "MUTUAL"] = "SIMPLE"
    """`MUTUAL` asks clients for a certificate too, of the CA in `ca.crt` of the Secret, or in NAME-cacert.

    No client without one reaches the service through its Gateway then: plain HTTP is redirected or not
    served, every listener of the service has to be `MUTUAL`, and the ingress can have no extra ports.
    """

    port: Annotated[Port, Example(443)] = 443
    """The port of the ingress Service for HTTPS."""

    redirect: bool = False
    """Whether plain HTTP is only answered with the way to HTTPS. With `MUTUAL` it is not served otherwise."""


@dataclass(frozen=True, kw_only=True)
class Listener:
    """Hosts with a port and a certificate of their own."""

    hosts: Annotated[tuple[Host, ...], NotEmpty(["*"]), Distinct()] = ("*",)
    """Hosts that reach the service. Two stacks on one ingress need different ones: `*` takes them all."""

    port: Annotated[Port, Example(80)] = 80
    """The port of the ingress Service for plain HTTP, where requests without a port of their own arrive."""

    tls: Tls | None = None
    """HTTPS for the same hosts; none where absent."""

    @property
    def is_mutual(self) -> bool:
        """Whether it lets in only clients with a certificate."""
        return self.tls is not None and self.tls.mode == "MUTUAL"

    @property
    def redirects(self) -> bool:
        """Whether it answers plain HTTP with the way to HTTPS alone."""
        return self.tls is not None and self.tls.redirect

    @property
    def serves_plain_http(self) -> bool:
        """Whether it leads requests over plain HTTP to the service."""
        return not (self.redirects or self.is_mutual)


@at_most_one("existing", "tls")
@at_most_one("existing", "listeners")
@dataclass(frozen=True, kw_only=True)
class Gateway(Listener):
    """The service's own Gateway: which hosts it answers to, on which ports of the ingress."""

    listeners: Annotated[tuple[Listener, ...], Example([{"hosts": ["shop.example.org"]}])] = ()
    """Further hosts, where they have another port or certificate."""

    existing: Annotated[NamespacedName, Example("istio-system/shared")] | None = None
    """A Gateway that is there already and serves the hosts, instead of one of the service's own.

    It is of Istio's own kind, or of the Gateway API's with `api: gateway-api`, and then lets in routes of the
    stack's namespace. `NAMESPACE/SERVICE` with the stack's own namespace is that of another of its services.
    What `url` shows of somebody else's is what `port` says of it: 443 for HTTPS. Whether somebody else's asks
    clients for certificates is not checked: whoever owns it decides that.
    """
