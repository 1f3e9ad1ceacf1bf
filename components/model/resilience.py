"""How a caller protects itself from a version: pools, ejection of bad pods, load balancing, localities."""

from dataclasses import dataclass
from typing import Annotated, Literal

from components.model.locality import LocalityPolicy
from components.model.retries import Retries
from components.model.text import CookieName, GoDuration, HeaderName, ParameterName, Timeout
from components.model.types import UrlPath
from components.schema.constraints import Always, Example, Range
from components.schema.key_groups import at_least_one, exactly_one

Count = Annotated[int, Range(1, 2**31 - 1), Example(100)]
WholePercent = Annotated[int, Range(0, 100)]


@at_least_one("maxConnections", "connectTimeout")
@dataclass(frozen=True, kw_only=True)
class TcpPool:
    """Connections to the pods of a version."""

    max_connections: Count | None = None
    connect_timeout: GoDuration | None = None


@at_least_one(
    "http1MaxPendingRequests", "http2MaxRequests", "maxRequestsPerConnection", "maxRetries", "idleTimeout"
)
@dataclass(frozen=True, kw_only=True)
class HttpPool:
    """Requests to the pods of a version. What is too much is answered with 503 at once."""

    http1_max_pending_requests: Count | None = None
    http2_max_requests: Count | None = None
    max_requests_per_connection: Count | None = None
    max_retries: Count | None = None
    idle_timeout: GoDuration | None = None


@at_least_one("tcp", "http")
@dataclass(frozen=True, kw_only=True)
class ConnectionPool:
    """Limits of each proxy towards a version, in Istio's own words."""

    tcp: TcpPool | None = None
    http: HttpPool | None = None


@at_least_one(
    "consecutive5xx",
    "consecutiveGatewayErrors",
    "interval",
    "baseEjectionTime",
    "maxEjectionPercent",
    "minHealthPercent",
)
@dataclass(frozen=True, kw_only=True)
class Outliers:
    """When a pod that keeps failing gets no requests for a while."""

    consecutive_5xx: Annotated[int, Range(0, 2**31 - 1), Example(5)] | None = None
    """After how many answers of 5xx in a row; 5 where absent, 0 for never."""

    consecutive_gateway_errors: Annotated[int, Range(0, 2**31 - 1), Example(5)] | None = None
    """The same for 502, 503 and 504 alone; never where absent."""

    interval: GoDuration | None = None
    """How often the proxy looks; 10s where absent."""

    base_ejection_time: GoDuration | None = None
    """How long the first time, and as much longer each time; 30s where absent."""

    max_ejection_percent: Annotated[int, Range(1, 100)] | None = None
    """The share of pods that may be out at once; 10 where absent. Istio takes 0 for absent."""

    min_health_percent: WholePercent | None = None
    """Below this share of good pods nobody is put out; 0 where absent."""


@dataclass(frozen=True, kw_only=True)
class HashCookie:
    """A cookie that Envoy makes and hashes."""

    name: CookieName
    ttl: Annotated[GoDuration, Example("1h")]
    path: UrlPath | None = None


@exactly_one("httpHeaderName", "httpCookie", "httpQueryParameterName", "useSourceIp")
@dataclass(frozen=True, kw_only=True)
class ConsistentHash:
    """Requests with the same key go to the same pod of a version."""

    http_header_name: HeaderName | None = None
    http_cookie: HashCookie | None = None
    http_query_parameter_name: ParameterName | None = None
    use_source_ip: Annotated[bool, Always(only=True)] | None = None


@exactly_one("simple", "consistentHash")
@dataclass(frozen=True, kw_only=True)
class LoadBalancer:
    """How a pod of the version is chosen."""

    simple: Literal["LEAST_REQUEST", "RANDOM", "ROUND_ROBIN"] | None = None
    consistent_hash: ConsistentHash | None = None


@dataclass(frozen=True, kw_only=True)
class SubsetPolicy:
    """What holds for calls to a version, or to every version that says nothing else."""

    connection_pool: ConnectionPool | None = None
    """Limits on connections and requests."""

    outliers: Outliers | None = None
    """When a pod that keeps failing gets no requests for a while.

    With them callers prefer pods of their own zone: `locality: {enabled: false}` switches that off.
    """

    load_balancer: LoadBalancer | None = None
    """How a pod of the version is chosen; LEAST_REQUEST where absent."""

    locality: LocalityPolicy | None = None
    """Routing by region and zone."""


@dataclass(frozen=True, kw_only=True)
class Resilience(SubsetPolicy):
    """What holds for every route and version that says nothing else."""

    timeout: Timeout | None = None
    """How long a request may take in all, with its retries; no limit where absent, or with `0s`."""

    retries: Retries | None = None
    """Whether a failed request is tried again."""
