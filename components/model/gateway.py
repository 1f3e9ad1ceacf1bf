"""The service's Gateway: hosts, ports and certificates."""

from dataclasses import dataclass
from typing import Annotated, Literal

from components.model.types import Host, NamespacedName, ObjectName, Port
from components.schema.constraints import Distinct, Example, NotEmpty
from components.schema.key_groups import at_most_one


def covers(wide: str, host: str) -> bool:
    """Return whether a host with `*` covers another one."""
    return wide.startswith("*") and wide != host and host.endswith(wide[1:])


@dataclass(frozen=True, kw_only=True)
class Tls:
    """HTTPS, terminated at the gateway."""

    secret: Annotated[ObjectName, Example("shop-certificate")]
    """The Secret with certificate and key, in the namespace of the gateway's pods. It is not read here."""

    mode: Literal["SIMPLE", "MUTUAL"] = "SIMPLE"
    """`MUTUAL` requires client certificates of the CA in `ca.crt` of the Secret, or in NAME-cacert.

    No client without one can reach the service through its Gateway: plain HTTP is redirected or not served,
    every listener of the service must be `MUTUAL`, and the ingress can have no extra ports.
    """

    port: Annotated[Port, Example(443)] = 443
    """The port of the ingress Service for HTTPS."""

    redirect: bool = False
    """Whether plain HTTP is redirected to HTTPS. With `MUTUAL` it is otherwise not served."""


@dataclass(frozen=True, kw_only=True)
class Listener:
    """Hosts with a port and a certificate of their own."""

    hosts: Annotated[tuple[Host, ...], NotEmpty(["*"]), Distinct()] = ("*",)
    """The hosts of the service. Two stacks on one ingress need different ones; `*` is every host."""

    port: Annotated[Port, Example(80)] = 80
    """The port of the ingress Service for plain HTTP. 80 is the default port of http URLs."""

    tls: Tls | None = None
    """HTTPS for the same hosts; none where absent."""

    @property
    def is_mutual(self) -> bool:
        """Whether it admits only clients with a certificate."""
        return self.tls is not None and self.tls.mode == "MUTUAL"

    @property
    def redirects(self) -> bool:
        """Whether it redirects plain HTTP to HTTPS."""
        return self.tls is not None and self.tls.redirect

    @property
    def serves_plain_http(self) -> bool:
        """Whether it serves plain HTTP."""
        return not (self.redirects or self.is_mutual)


@at_most_one("existing", "tls")
@at_most_one("existing", "listeners")
@dataclass(frozen=True, kw_only=True)
class Gateway(Listener):
    """The service's own Gateway: its hosts, and the ports of the ingress."""

    listeners: Annotated[tuple[Listener, ...], Example([{"hosts": ["shop.example.org"]}])] = ()
    """Further hosts with another port or certificate."""

    existing: Annotated[NamespacedName, Example("istio-system/shared")] | None = None
    """An existing Gateway that serves the hosts, instead of one of the service's own.

    It is an Istio Gateway, or with `api: gateway-api` one of the Gateway API, which must allow routes of the
    stack's namespace. `NAMESPACE/SERVICE` with the stack's own namespace is the Gateway of another of its
    services. For a Gateway of another owner, set `port` to the port that `url` shows: 443 for HTTPS. Whether
    it requires client certificates is decided by its owner and not checked.
    """
