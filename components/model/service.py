"""One service: its app, versions, weights, routes, Gateway and policies."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

from components.model.canary import Canary
from components.model.gateway import Gateway, Listener, covers
from components.model.resilience import Resilience
from components.model.route_options import Mirror, RouteOptions
from components.model.routes import Route, Split, Sticky
from components.model.security import Security
from components.model.types import Label, Port, Repository, ServiceName, UrlPath
from components.model.version import Version
from components.schema.constraints import Example, NotEmpty
from components.schema.issues import Path

EVERY_HOST: Final = "*"
"""Every host of an ingress that no other service has."""


@dataclass(frozen=True, kw_only=True)
class Container:
    """The settings that all versions of a service share. Under `services` the key is its name."""

    image: Repository
    """The image's repository. The tag or digest belongs to each version."""

    port: Annotated[Port, Example(8080)]
    """The port on which the container listens, which is the Service's port as well."""

    probe: UrlPath
    """The path that answers 200 when a pod is ready."""

    path: UrlPath | None = None
    """The path that the outputs `url` and `urls` show; the probe's where this is absent."""

    @property
    def shown_path(self) -> str:
        """The path in the output `url`."""
        return self.path if self.path is not None else self.probe


@dataclass(frozen=True, kw_only=True)
class App(Container):
    """The settings that all versions of the service share."""

    name: ServiceName
    """The name of the Service, and the label `app` of all its objects."""


@dataclass(frozen=True, kw_only=True)
class Entry(RouteOptions):
    """One of several services. The key is its name."""

    app: Container

    versions: Annotated[Mapping[Label, Version], NotEmpty({"v1": {"tag": "42"}})]
    """The versions that run. Routes and subsets are created from this list only."""

    weights: Split
    """The share of traffic of each version, in whole percent. They sum to 100; a version not named gets 0."""

    routes: tuple[Route, ...] = ()
    """Routes above the weights, in the order in which they are tried."""

    mirror: Mirror | None = None
    """A version that gets copies of the requests that the weights divide. Routes can have their own."""

    sticky: Sticky | None = None
    """A cookie that binds a user to one version while traffic is divided."""

    resilience: Resilience = field(default_factory=Resilience)
    """Timeouts, retries and traffic policies for all routes and versions."""

    gateway: Gateway = field(default_factory=Gateway)
    """How the service is reached from outside."""

    security: Security | None = None
    """Authentication and authorization of callers.

    A change applies to new connections immediately. Open connections keep the old policies until the proxies
    have drained them, by default within 45 seconds.
    """

    canary: Canary | None = None
    """The steps by which a new version gets its traffic, for `python -m operations canary`.

    `pulumi up` deploys nothing for it.
    """

    mesh: bool | Literal["only"] = True
    """Whether callers inside the mesh follow the same routes and weights.

    They call the service by its Service's name, or by a host of `gateway` other than `*`. The caller's own
    proxy then routes the request, which does not pass through the ingress gateway. With `false` only the
    gateway follows the weights: inside the mesh every ready pod gets requests, including those of a version
    with weight 0. With `only` the service has no Gateway.

    The caller's proxy applies the weights. They do not apply to calls of pods without a sidecar, to calls of
    a pod's IP address, and to calls through a headless Service.
    """


@dataclass(frozen=True, kw_only=True)
class Service(Entry):
    """A service. Its options are the defaults of its routes."""

    app: App

    @property
    def outside(self) -> bool:
        """Whether the service is reached from outside the mesh."""
        return self.mesh != "only"

    @property
    def owns_gateway(self) -> bool:
        """Whether the service has a Gateway of its own."""
        return self.outside and self.gateway.existing is None

    def listeners(self, at: Path) -> dict[Path, Listener]:
        """Return the listeners by their path in the stack file, in order."""
        if not self.outside:
            return {}
        here = at / "gateway"
        further = {here / "listeners" / nth: each for nth, each in enumerate(self.gateway.listeners)}
        return {here: self.gateway, **further}

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts of all listeners, without those that another host covers: Istio refuses both together."""
        hosts = tuple(dict.fromkeys(host for each in self.listeners(Path()).values() for host in each.hosts))
        return tuple(host for host in hosts if not any(covers(wide, host) for wide in hosts))

    @property
    def split(self) -> dict[str, int]:
        """The weight of every version, including zeros."""
        return self.shares(self.weights)

    def shares(self, weights: Mapping[str, int]) -> dict[str, int]:
        """Return weights with a zero for every version that they omit."""
        return {version: weights.get(version, 0) for version in self.versions}

    def image(self, version: str) -> str:
        """Return the image reference of a version."""
        own = self.versions[version]
        repository = own.image or self.app.image
        return f"{repository}:{own.tag}" if own.digest is None else f"{repository}@{own.digest}"

    def workload(self, version: str) -> str:
        """Return the name of a version's Deployment and DestinationRule."""
        return f"{self.app.name}-{version}"
