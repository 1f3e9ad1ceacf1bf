"""What the pods of a version are given, in Kubernetes' own words."""

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
    """Read an amount of CPU or memory."""
    number = quantity.rstrip("KMGikm")
    return Decimal(number) * _SUFFIXES[quantity[len(number) :]]


@dataclass(frozen=True, kw_only=True)
class Requests:
    """What a pod is sure to get, and what the scheduler counts with."""

    cpu: Cpu = "50m"
    memory: Memory = "64Mi"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a pod never gets more of."""

    cpu: Cpu | None = None
    """No limit where absent: a limit on CPU slows a pod down while the node has time to spare."""

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
    """What their names begin with."""

    optional: bool = False
    """Whether pods start without it."""


@dataclass(frozen=True, kw_only=True)
class Probe:
    """How the kubelet asks. What is absent is as in the app's own probe."""

    path: UrlPath | None = None
    period_seconds: Annotated[int, Range(1, 3600)] | None = None
    timeout_seconds: Annotated[int, Range(1, 3600)] | None = None
    failure_threshold: Annotated[int, Range(1, 1000)] | None = None


@dataclass(frozen=True, kw_only=True)
class Probes:
    """The three questions of the kubelet."""

    startup: Probe = field(default_factory=Probe)
    """Has it started? Every second, for two minutes; then the container is restarted."""

    readiness: Probe = field(default_factory=Probe)
    """Can it take traffic? Every 2 seconds; no after 3 failures."""

    liveness: Probe | None = None
    """Does it have to be restarted? Every 10 seconds; yes after 6 failures.

    Nothing asks where it is absent: a container that ends is restarted all the same. Name a path that asks no
    dependency of the app, or every pod is restarted while a database is away.
    """


@dataclass(frozen=True, kw_only=True)
class Pods:
    """How the pods of a version are made."""

    resources: Resources = field(default_factory=Resources)
    """CPU and memory of the app's container."""

    env: Mapping[EnvName, EnvValue | EnvReference] = field(default_factory=dict)
    """Environment variables: text, or a reference to a key of a Secret or ConfigMap."""

    env_from: tuple[EnvSource, ...] = ()
    """Secrets and ConfigMaps of which every key becomes a variable."""

    probes: Probes = field(default_factory=Probes)
    """How the kubelet asks whether the app runs; `startup` and `readiness` by the app's `probe` otherwise."""

    disruption_budget: DisruptionBudget | None = None
    """How many pods may be taken away at once when nodes are drained."""

    spread: tuple[Spread, ...] = ()
    """How far the pods stand apart."""

    service_account: Annotated[ObjectName, Example("shop-reader")] | None = None
    """A service account that is there already; one of the app's own, without rights, where absent."""

    automount_service_account_token: bool = False
    """Whether the app's container gets the token of its service account, to call the Kubernetes API with.

    Identities of clouds and of the mesh have volumes of their own and do not need it.
    """

    tmp: Storage = "64Mi"
    """How much a pod may write to `/tmp`, which is its only writable place and empty when it starts.

    It is on the node's disk. A pod that writes more is evicted, with the requests that it is answering.
    """
