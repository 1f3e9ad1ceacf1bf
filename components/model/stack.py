"""The stack: its services, and the settings that they share (cluster, namespace, ingress)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal, TypeVar

from components.model.drift import Drift
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
    """The kubeconfig context to deploy to. Required: the current context may be that of another cluster."""

    cluster_identifier: ContextName | None = None
    """The identifier of the cluster for Pulumi; the context where absent.

    If it changes, Pulumi replaces every resource; other changes of the kubeconfig do not have this effect.
    """

    @property
    def identity(self) -> str:
        """The provider's cluster identifier."""
        return self.cluster_identifier or self.context


@dataclass(frozen=True, kw_only=True)
class Revision:
    """Injection by one revision of the control plane."""

    revision: Annotated[Label, Example("canary")]
    """The revision's name or its tag: the value of the label `istio.io/rev`."""

    def __str__(self) -> str:
        """Format it for messages and annotations."""
        return f"revision {self.revision}"


Injection = Literal["enabled", "disabled", "manual", "ambient"] | Revision


@dataclass(frozen=True, kw_only=True)
class Namespace:
    """The namespace of the stack: its own, or an existing one."""

    name: Annotated[Label, Example("springistiodemo")]

    injection: Injection = "enabled"
    """How pods get their sidecar.

    `enabled` and `disabled` by the label `istio-injection`, `{revision: NAME}` by `istio.io/rev`, `ambient`
    by `istio.io/dataplane-mode`. With `manual` there is no label, and a version sets `sidecar: true`. In an
    existing namespace the pods get the label instead of the namespace.
    """

    existing: bool = False
    """Whether the namespace belongs to another owner: the stack uses it and neither changes nor deletes it.

    Several stacks can share such a namespace. Without this key an existing namespace is refused. A stack that
    created its namespace can release it with this key in two updates, without deleting anything.
    """


@dataclass(frozen=True, kw_only=True)
class ExtraPort:
    """A further port of the ingress, by a Service of the stack's own for the gateway's pods."""

    port: Annotated[Port, Example(8066)]
    """The port of that Service, and the number of the server in the Gateway."""

    target_port: Annotated[Port, Example(8080)]
    """The port on which the gateway's pods listen for it. It must not be used otherwise."""

    node_port: Annotated[NodePort, Example(31386)]
    """The port on every node."""


@at_most_one("address", "node")
@dataclass(frozen=True, kw_only=True)
class Ingress:
    """The existing ingress gateway of the cluster, and its address."""

    service: NamespacedName = "istio-system/istio-ingressgateway"
    """The gateway's Service. The program reads its node port and does not change it."""

    selector: Annotated[Mapping[LabelKey, LabelValue], NotEmpty({"istio": "ingressgateway"})] = field(
        default_factory=lambda: {"istio": "ingressgateway"}
    )
    """The labels of the gateway's pods."""

    service_account: Annotated[ObjectName, Example("istio-ingressgateway")] | None = None
    """The service account of the gateway's pods, for `security.allow`.

    Where absent, both names that Istio's installers use: the name of the Service (Helm charts), and the same
    with the suffix `-service-account` (istioctl).
    """

    address: Address | None = None
    """The address in `url`, if neither a node nor a load balancer provides it."""

    node: Annotated[ObjectName, Example("worker-1")] | None = None
    """The node whose address is shown in `url`: its ExternalIP, else its InternalIP."""

    extra_ports: tuple[ExtraPort, ...] = ()
    """Further ports of the ingress, which the stack creates."""

    @property
    def namespace(self) -> str:
        """The namespace of the gateway's Service and pods."""
        return self.service.partition("/")[0]


Api = Literal["istio", "gateway-api"]

ANY: Final = "any"
"""Any cluster."""


@dataclass(frozen=True, kw_only=True)
class Common:
    """The top-level keys of every stack file."""

    namespace: Namespace

    ingress: Ingress = field(default_factory=Ingress)

    api: Api = "istio"
    """The objects that express the traffic policy.

    `istio`: VirtualService, Gateway and DestinationRules with subsets. `gateway-api`: HTTPRoute and Gateway
    of the Kubernetes Gateway API, for meshes that use it; keys that it cannot express are refused.
    """

    metrics: Metrics = field(default_factory=Metrics)
    """The source of the mesh's metrics. Only `operations` reads them; nothing is deployed for it."""

    cluster_uid: ClusterUid = ANY
    """The uid of the namespace kube-system of the right cluster; any other cluster is refused.

    `any`: the cluster of `kubernetes:context`, whichever it is. A pinned stack can only be destroyed with
    `pulumi destroy --run-program`, since the program checks the cluster.
    """

    protected: bool = False
    """Whether Pulumi refuses to delete objects that receive traffic.

    These are the namespace, a service, its routes and Gateways, and a version that alone has weight. To
    delete them, remove this key and run `pulumi up` first.
    """

    handover: Handover = field(default_factory=Handover)
    """How an update waits before a version gets its first request, and before one is deleted."""

    drift: Drift = field(default_factory=Drift)
    """The differences that `python -m operations drift` does not report. Nothing is deployed for it."""


@dataclass(frozen=True, kw_only=True)
class StackFile(Common, Service):
    """The `mesh-app:` keys of a stack file with one service."""


@dataclass(frozen=True, kw_only=True)
class Several:
    """The top-level keys that replace those of one service."""

    services: Mapping[ServiceName, Entry]
    """Several services by name, instead of the keys of one service."""


@dataclass(frozen=True, kw_only=True)
class ServicesFile(Common, Several):
    """The `mesh-app:` keys of a stack file with several services."""


@dataclass(frozen=True, kw_only=True)
class Stack:
    """The decoded stack file."""

    cluster: Cluster
    namespace: Namespace
    ingress: Ingress

    placed: Mapping[Path, Service]
    """The services by their path in the stack file: one at the top level, or several under `services`."""

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
        """The names that older versions of the program gave to resources that services share."""
        return list(dict.fromkeys([self.namespace.name, *(each.app.name for each in self.services)]))

    def gateway_of(self, service: Service) -> str:
        """Return the name of a service's Gateway with its namespace."""
        return f"{self.namespace.name}/{service.app.name}"

    def mesh_routes(self, service: Service) -> str | None:
        """Return the name of the VirtualService for callers in the mesh; None if they share the gateway's.

        In a shared object every host applies to the mesh too. Istio refuses `*` there, which would be the
        traffic of every service (pkg/config/validation, ValidateVirtualService). Nor can two services have
        the same host on different ports or Gateways: the mesh does not distinguish these (IST0109). The dot
        makes the name unique, since names of Services have none.
        """
        if not (service.outside and service.mesh):
            return None
        others = {host for each in self.services if each.mesh and each is not service for host in each.hosts}
        apart = {EVERY_HOST, *others}.intersection(service.hosts)
        return f"{service.app.name}.mesh" if apart else None

    def place(self, service: Service) -> Path:
        """Return the path of a service in the stack file."""
        return next(path for path, each in self.placed.items() if each is service)

    def each(self, output: Callable[[Service], T]) -> T | dict[str, T]:
        """Return an output of the single service, or of all under `services` by name."""
        if Path() in self.placed:
            return output(self.services[0])
        return {service.app.name: output(service) for service in self.services}
