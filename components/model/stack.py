"""What a stack's services have in common: the cluster, the namespace and the way in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal, TypeVar

from components.model.handover import Handover
from components.model.metrics import Metrics
from components.model.service import EVERY_HOST, Entry, Service
from components.model.types import (
    Address,
    ClusterUid,
    ContextName,
    Label,
    LabelKey,
    LabelValue,
    NamespacedName,
    NodePort,
    ObjectName,
    Port,
    ServiceName,
)
from components.schema.constraints import Example, NotEmpty
from components.schema.issues import Path
from components.schema.key_groups import at_most_one

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """The `kubernetes:` keys of the stack file."""

    context: ContextName
    """The kubeconfig context to deploy to. Required: the current context is whatever was used last."""

    cluster_identifier: ContextName | None = None
    """What tells this cluster from another; the context where absent.

    Pulumi replaces every resource when it changes, and nothing else about the kubeconfig makes it do so.
    """

    @property
    def identity(self) -> str:
        """The identifier that the provider is given."""
        return self.cluster_identifier or self.context


@dataclass(frozen=True, kw_only=True)
class Revision:
    """Injection by one revision of the control plane."""

    revision: Annotated[Label, Example("canary")]
    """The revision's name or its tag: the value of the label `istio.io/rev`."""

    def __str__(self) -> str:
        """Write it as one word, for messages and annotations."""
        return f"revision {self.revision}"


Injection = Literal["enabled", "disabled", "manual", "ambient"] | Revision


@dataclass(frozen=True, kw_only=True)
class Namespace:
    """The namespace of the stack, which owns it whole, or uses one that exists."""

    name: Annotated[Label, Example("springistiodemo")]

    injection: Injection = "enabled"
    """How pods get their sidecar.

    `enabled` and `disabled` by the label `istio-injection`, `{revision: NAME}` by `istio.io/rev`, `ambient`
    by `istio.io/dataplane-mode`. With `manual` there is no label, and a version says `sidecar: true`. Where
    the namespace is an existing one, the pods carry the label instead of it.
    """

    existing: bool = False
    """Whether the namespace is another owner's, which the stack uses and neither changes nor deletes.

    Several stacks can share such a namespace. Without this key a namespace that exists already is refused. A
    stack that created its namespace lets go of it by this key in two updates, and deletes nothing.
    """


@dataclass(frozen=True, kw_only=True)
class ExtraPort:
    """One more port of the ingress, as a Service of the stack's own in front of the gateway's pods."""

    port: Annotated[Port, Example(8066)]
    """The port of that Service, and the number of the server in the Gateway."""

    target_port: Annotated[Port, Example(8080)]
    """The port on which the gateway's pods listen for it. Nothing else of theirs may use it."""

    node_port: Annotated[NodePort, Example(31386)]
    """The port on every node."""


@at_most_one("address", "node")
@dataclass(frozen=True, kw_only=True)
class Ingress:
    """The ingress gateway that the cluster already has, and how it is reached from outside."""

    service: NamespacedName = "istio-system/istio-ingressgateway"
    """The gateway's Service, which is read for the node port and never changed."""

    selector: Annotated[Mapping[LabelKey, LabelValue], NotEmpty({"istio": "ingressgateway"})] = field(
        default_factory=lambda: {"istio": "ingressgateway"}
    )
    """The labels of the gateway's pods."""

    service_account: Annotated[ObjectName, Example("istio-ingressgateway")] | None = None
    """The service account of the gateway's pods, for `security.allow`.

    Where absent, both names that Istio's installers give it: the Service's own, as with the charts, and that
    with `-service-account` behind it, as with istioctl.
    """

    address: Address | None = None
    """The address to show in `url`, where neither a node nor a load balancer says it."""

    node: Annotated[ObjectName, Example("worker-1")] | None = None
    """The node whose address to show in `url`: its ExternalIP, else its InternalIP."""

    extra_ports: tuple[ExtraPort, ...] = ()
    """Further ports of the ingress, which the stack opens itself."""

    @property
    def namespace(self) -> str:
        """The namespace of the gateway's Service and pods."""
        return self.service.partition("/")[0]


Api = Literal["istio", "gateway-api"]

ANY: Final = "any"
"""No cluster in particular."""


@dataclass(frozen=True, kw_only=True)
class Common:
    """What stands at the top of every stack file."""

    namespace: Namespace

    ingress: Ingress = field(default_factory=Ingress)

    api: Api = "istio"
    """The objects that express the traffic policy.

    `istio`: VirtualService, Gateway and DestinationRules with subsets. `gateway-api`: HTTPRoute and Gateway
    of the Kubernetes Gateway API, for meshes that chose it; what it has no words for is refused.
    """

    metrics: Metrics = field(default_factory=Metrics)
    """Where the figures of the mesh are. Only `operations` reads them: nothing of it is deployed."""

    cluster_uid: ClusterUid = ANY
    """The uid of the namespace kube-system of the cluster that is meant; another one is refused.

    `any`: whatever cluster `kubernetes:context` leads to. A pinned stack is destroyed by `pulumi destroy
    --run-program` alone, since without the program nobody looks at the cluster.
    """

    protected: bool = False
    """Whether Pulumi refuses to delete what serves.

    That is the namespace, a service, its routes and ways in, and the version that alone has weight. To delete
    them after all, take this key away and run `pulumi up` first.
    """

    handover: Handover = field(default_factory=Handover)
    """What an update waits for where a version begins or ends to serve."""


@dataclass(frozen=True, kw_only=True)
class StackFile(Common, Service):
    """The `mesh-app:` keys of a stack file with one service."""


@dataclass(frozen=True, kw_only=True)
class Several:
    """What stands at the top of a stack file in place of one service."""

    services: Mapping[ServiceName, Entry]
    """Several services by name, each under a traffic policy of its own, in place of one service's keys."""


@dataclass(frozen=True, kw_only=True)
class ServicesFile(Common, Several):
    """The `mesh-app:` keys of a stack file with several services."""


@dataclass(frozen=True, kw_only=True)
class Stack:
    """Everything that the program deploys."""

    cluster: Cluster
    namespace: Namespace
    ingress: Ingress

    placed: Mapping[Path, Service]
    """The services by where they stand in the stack file: one at its top, or several under `services`."""

    api: Api = "istio"
    cluster_uid: ClusterUid = ANY
    protected: bool = False
    handover: Handover = field(default_factory=Handover)

    @property
    def services(self) -> tuple[Service, ...]:
        """All services."""
        return tuple(self.placed.values())

    @property
    def former_names(self) -> list[str]:
        """List the names that older versions of the program gave to what belongs to no service alone."""
        return list(dict.fromkeys([self.namespace.name, *(each.app.name for each in self.services)]))

    def gateway_of(self, service: Service) -> str:
        """Name the Gateway of a service as others in the cluster name it."""
        return f"{self.namespace.name}/{service.app.name}"

    def mesh_routes(self, service: Service) -> str | None:
        """Name the VirtualService of callers in the mesh; None where one for them and the gateway is enough.

        In one object every host means both. It cannot be `*`: that would be the traffic of every service of
        the mesh, and Istio refuses it (pkg/config/validation, ValidateVirtualService). Nor can it be a host
        that another service has too, on another port or Gateway: the mesh knows neither (IST0109).
        The dot keeps the name apart from that of any service: the name of a Service has none.
        """
        if not (service.outside and service.mesh):
            return None
        others = {host for each in self.services if each.mesh and each is not service for host in each.hosts}
        apart = {EVERY_HOST, *others}.intersection(service.hosts)
        return f"{service.app.name}.mesh" if apart else None

    def place(self, service: Service) -> Path:
        """Find where a service stands in the stack file."""
        return next(path for path, each in self.placed.items() if each is service)

    def each(self, report_line: Callable[[Service], T]) -> T | dict[str, T]:
        """Tell something of the one service, or of several by name, were it only one that stands there."""
        if self._several:
            return {service.app.name: report_line(service) for service in self.services}
        return report_line(self.services[0])

    @property
    def _several(self) -> bool:
        return Path() not in self.placed
