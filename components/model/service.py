"""One service: the app, its versions, how traffic is divided between them and how it comes in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

from components.model.canary import Canary
from components.model.gateway import Gateway, Listener, covers
from components.model.resilience import Resilience
from components.model.route_options import Mirror, Treatment
from components.model.routes import Route, Split, Sticky
from components.model.security import Security
from components.model.types import Label, Port, Repository, ServiceName, UrlPath
from components.model.version import Version
from components.schema.constraints import Example, NotEmpty
from components.schema.issues import Path

EVERY_HOST: Final = "*"
"""Every host of an ingress that no other entry takes."""


@dataclass(frozen=True, kw_only=True)
class Container:
    """What all versions of a service share. Under `services` the key is its name."""

    image: Repository
    """The image's repository. The tag or digest belongs to each version."""

    port: Annotated[Port, Example(8080)]
    """The port on which the container listens, which is the Service's port as well."""

    probe: UrlPath
    """The path that answers 200 when a pod can take traffic."""

    path: UrlPath | None = None
    """The path that the outputs `url` and `urls` show; the probe's where this is absent."""

    @property
    def shown_path(self) -> str:
        """The path for a person to open."""
        return self.path if self.path is not None else self.probe


@dataclass(frozen=True, kw_only=True)
class App(Container):
    """What all versions of the service share."""

    name: ServiceName
    """The name of the Service, and the `app` label of everything that belongs to it."""


@dataclass(frozen=True, kw_only=True)
class Entry(Treatment):
    """One of several services, under its name, which is the key."""

    app: Container

    versions: Annotated[Mapping[Label, Version], NotEmpty({"v1": {"tag": "42"}})]
    """The versions that run. Routes and subsets are made from this list and no other."""

    weights: Split
    """The share of traffic of each version, in whole percent. They sum to 100; a version not named gets 0."""

    routes: tuple[Route, ...] = ()
    """Routes above the weights, in the order in which they are tried."""

    mirror: Mirror | None = None
    """Copies of what the weights divide, for a version. Routes above them have their own."""

    sticky: Sticky | None = None
    """A cookie that keeps a user at one version while traffic is divided."""

    resilience: Resilience = field(default_factory=Resilience)
    """Timeouts, retries, and what protects callers from bad pods, for every route and version."""

    gateway: Gateway = field(default_factory=Gateway)
    """How the service is reached from outside."""

    security: Security | None = None
    """Who may call the service, and how callers prove who they are.

    A change holds at once for new connections. Those that are open keep the old rules until their proxies
    have drained them, 45 seconds at most unless the mesh says otherwise.
    """

    canary: Canary | None = None
    """How a new version gets its traffic step by step, for `python -m operations canary`.

    `pulumi up` deploys nothing for it.
    """

    mesh: bool | Literal["only"] = True
    """Whether callers inside the mesh follow the same routes and weights.

    They call the service by its Service's name, or by a host of `gateway` other than `*`. Such a host is then
    routed by the caller's own proxy, and the ingress gateway does not see the request. With `false` only the
    gateway follows the weights: inside the mesh every ready pod gets requests, also those of a version with
    weight 0. With `only` the service has no gateway.

    Weights are kept by the caller's proxy. Three kinds of calls have no proxy that could: those of pods
    without a sidecar, those to the IP of a pod, and those by a headless Service.
    """


@dataclass(frozen=True, kw_only=True)
class Service(Entry):
    """A service under one traffic policy. Its treatment holds for every route that says nothing of it."""

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
        """List the listeners by where they stand in the stack file, the first one first."""
        if not self.outside:
            return {}
        here = at / "gateway"
        further = {here / "listeners" / nth: each for nth, each in enumerate(self.gateway.listeners)}
        return {here: self.gateway, **further}

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts of all listeners, without those that another one covers: Istio refuses to take both."""
        hosts = tuple(dict.fromkeys(host for each in self.listeners(Path()).values() for host in each.hosts))
        return tuple(host for host in hosts if not any(covers(wide, host) for wide in hosts))

    @property
    def split(self) -> dict[str, int]:
        """The weight of every version, zeros included."""
        return self.shares(self.weights)

    def shares(self, weights: Mapping[str, int]) -> dict[str, int]:
        """Complete weights with a zero for every version that they do not name."""
        return {version: weights.get(version, 0) for version in self.versions}

    def image(self, version: str) -> str:
        """Name a version's image as a container runtime wants it."""
        own = self.versions[version]
        repository = own.image or self.app.image
        return f"{repository}:{own.tag}" if own.digest is None else f"{repository}@{own.digest}"

    def workload(self, version: str) -> str:
        """Name the Deployment of a version, and its DestinationRule."""
        return f"{self.app.name}-{version}"
