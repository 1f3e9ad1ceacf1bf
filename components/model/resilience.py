"""The traffic policy of a version: connection pools, outlier detection, load balancing, localities."""

from dataclasses import dataclass
from typing import Annotated, Literal

from components.model.http_types import CookieName, GoDuration, GoDurationOrNone, HeaderName, ParameterName
from components.model.locality import LocalityPolicy
from components.model.retries import Retries
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
    """Requests to the pods of a version. Excess requests are answered with 503 immediately."""

    http1_max_pending_requests: Count | None = None
    http2_max_requests: Count | None = None
    max_requests_per_connection: Count | None = None
    max_retries: Count | None = None
    idle_timeout: GoDuration | None = None


@at_least_one("tcp", "http")
@dataclass(frozen=True, kw_only=True)
class ConnectionPool:
    """Limits of each proxy for a version, with the names of Istio's API."""

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
    """Outlier detection: a failing pod is ejected and gets no requests for some time."""

    consecutive_5xx: Annotated[int, Range(0, 2**31 - 1), Example(5)] | None = None
    """The number of consecutive 5xx responses that ejects a pod; 5 where absent, 0 for never."""

    consecutive_gateway_errors: Annotated[int, Range(0, 2**31 - 1), Example(5)] | None = None
    """The number of consecutive 502, 503 and 504 responses that ejects a pod; never where absent."""

    interval: GoDuration | None = None
    """The interval between two checks; 10s where absent."""

    base_ejection_time: GoDuration | None = None
    """The duration of the first ejection, added again for each further one; 30s where absent."""

    max_ejection_percent: Annotated[int, Range(1, 100)] | None = None
    """The maximal percentage of ejected pods; 10 where absent. Istio reads 0 as absent."""

    min_health_percent: WholePercent | None = None
    """With a lower percentage of healthy pods none is ejected; 0 where absent."""


@dataclass(frozen=True, kw_only=True)
class HashCookie:
    """A cookie that Envoy generates and hashes."""

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
    """The traffic policy of a version, or the default for all versions."""

    connection_pool: ConnectionPool | None = None
    """Limits on connections and requests."""

    outliers: Outliers | None = None
    """Outlier detection: failing pods are ejected for some time.

    It also makes callers prefer pods in their own zone, unless `locality: {enabled: false}` is set.
    """

    load_balancer: LoadBalancer | None = None
    """How a pod of the version is chosen; LEAST_REQUEST where absent."""

    locality: LocalityPolicy | None = None
    """Routing by region and zone."""


@dataclass(frozen=True, kw_only=True)
class Resilience(SubsetPolicy):
    """The defaults for all routes and versions."""

    timeout: GoDurationOrNone | None = None
    """The timeout of a request with all its retries; no limit where absent, or with `0s`."""

    retries: Retries | None = None
    """The retries of failed requests."""
