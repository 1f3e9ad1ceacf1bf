"""The pods of a version (resources, environment, probes), with the names of Kubernetes' API."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Final

from components.model.scaling import DisruptionBudget, Spread
from components.model.types import ObjectName, UrlPath
from components.schema.constraints import Example, Pattern, Range
from components.schema.key_groups import exactly_one

_SUFFIXES: Final = {
    "": Decimal(1), "m": Decimal("0.001"),
    "k": Decimal(10) ** 3, "M": Decimal(10) ** 6, "G": Decimal(10) ** 9,
    "Ki": Decimal(2) ** 10, "Mi": Decimal(2) ** 20, "Gi": Decimal(2) ** 30,
}  # fmt: skip

Cpu = Annotated[
    str,
    Pattern(
        pattern=r"[1-9][0-9]{0,6}m|(?=.*[1-9])[0-9]{1,4}(?:\.[0-9]{1,3})?",
        description="an amount of CPU: 250m, 1 or 1.5",
        example="100m",
    ),
]
Memory = Annotated[
    str,
    Pattern(
        pattern=r"[1-9][0-9]{0,12}(?:Ki|Mi|Gi|k|M|G)?",
        description="an amount of memory: 256Mi or 1Gi",
        example="256Mi",
    ),
]
Storage = Annotated[
    str,
    Pattern(
        pattern=r"[1-9][0-9]{0,12}(?:Ki|Mi|Gi|Ti|k|M|G|T)?",
        description="an amount of storage: 256Mi or 1Gi",
        example="1Gi",
    ),
]
EnvName = Annotated[
    str,
    Pattern(
        pattern=r"[A-Za-z_][A-Za-z0-9_]*",
        description="the name of an environment variable: letters, digits and '_', not beginning "
        "with a digit",
        example="LOG_LEVEL",
        longest=256,
    ),
]
EnvValue = Annotated[str, Pattern(pattern=r"[^\x00]*", description="text", example="debug", longest=32768)]
DataKey = Annotated[
    str,
    Pattern(
        pattern=r"[A-Za-z0-9_.-]+", description="a key of a ConfigMap or Secret", example="token", longest=253
    ),
]


def amount(quantity: str) -> Decimal:
    """Parse an amount of CPU or memory."""
    number = quantity.rstrip("KMGikm")
    return Decimal(number) * _SUFFIXES[quantity[len(number) :]]


@dataclass(frozen=True, kw_only=True)
class Requests:
    """The resources that are reserved for a pod."""

    cpu: Cpu = "50m"
    memory: Memory = "64Mi"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The maximal resources of a pod."""

    cpu: Cpu | None = None
    """No limit where absent: a CPU limit throttles a pod even if the node has idle CPUs."""

    memory: Memory = "512Mi"


@dataclass(frozen=True, kw_only=True)
class Resources:
    """CPU and memory of the app's container. The sidecar has its own."""

    requests: Requests = field(default_factory=Requests)
    limits: Limits = field(default_factory=Limits)


@exactly_one("secret", "configMap")
@dataclass(frozen=True, kw_only=True)
class EnvReference:
    """A value from a Secret or ConfigMap of the stack's namespace."""

    secret: Annotated[ObjectName, Example("app-secrets")] | None = None
    config_map: Annotated[ObjectName, Example("app-config")] | None = None
    key: DataKey
    optional: bool = False
    """Whether pods start without it."""


@exactly_one("secret", "configMap")
@dataclass(frozen=True, kw_only=True)
class EnvSource:
    """All keys of a Secret or ConfigMap of the stack's namespace, as environment variables."""

    secret: Annotated[ObjectName, Example("app-secrets")] | None = None
    config_map: Annotated[ObjectName, Example("app-config")] | None = None
    prefix: EnvName | None = None
    """The prefix of their names."""

    optional: bool = False
    """Whether pods start without it."""


@dataclass(frozen=True, kw_only=True)
class Probe:
    """An HTTP probe of the kubelet. Absent keys have the defaults of this kind of probe."""

    path: UrlPath | None = None
    period_seconds: Annotated[int, Range(1, 3600)] | None = None
    timeout_seconds: Annotated[int, Range(1, 3600)] | None = None
    failure_threshold: Annotated[int, Range(1, 1000)] | None = None


@dataclass(frozen=True, kw_only=True)
class Probes:
    """The probes of the kubelet."""

    startup: Probe = field(default_factory=Probe)
    """Whether the app has started: every second, for two minutes; then the container is restarted."""

    readiness: Probe = field(default_factory=Probe)
    """Whether the pod gets traffic: every 2 seconds; not ready after 3 failures."""

    liveness: Probe | None = None
    """Whether the container must be restarted: every 10 seconds; restarted after 6 failures.

    Where absent, only a container that ends is restarted. Use a path that depends on no other service;
    otherwise every pod is restarted during an outage of a database.
    """


@dataclass(frozen=True, kw_only=True)
class Pods:
    """The pods of a version."""

    resources: Resources = field(default_factory=Resources)
    """CPU and memory of the app's container."""

    env: Mapping[EnvName, EnvValue | EnvReference] = field(default_factory=dict)
    """Environment variables: text, or a reference to a key of a Secret or ConfigMap."""

    env_from: tuple[EnvSource, ...] = ()
    """Secrets and ConfigMaps whose keys all become variables."""

    probes: Probes = field(default_factory=Probes)
    """The probes of the kubelet; by default `startup` and `readiness` use the app's `probe`."""

    disruption_budget: DisruptionBudget | None = None
    """How many pods may be evicted at once when nodes are drained."""

    spread: tuple[Spread, ...] = ()
    """How the pods are spread over zones or nodes."""

    service_account: Annotated[ObjectName, Example("shop-reader")] | None = None
    """An existing service account; where absent, one of the app's own without permissions."""

    automount_service_account_token: bool = False
    """Whether the app's container gets the token of its service account, to call the Kubernetes API.

    Identities of cloud providers and of the mesh use volumes of their own and do not need it.
    """

    tmp: Storage = "64Mi"
    """The size of `/tmp`, the only writable directory, which is empty when a pod starts.

    It is on the node's disk. A pod that writes more is evicted, with the requests that it is answering.
    """
