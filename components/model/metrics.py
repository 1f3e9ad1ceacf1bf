"""The source of the mesh's metrics, for `operations`. Nothing is deployed for it."""

from dataclasses import dataclass
from typing import Annotated, Final

from components.schema.constraints import Pattern

_LABEL: Final = r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?"

PrometheusAddress = Annotated[
    str,
    Pattern(
        pattern=rf"https?://[^\s/?#]+(?:/[^\s?#]*)?|{_LABEL}/(?:https:)?{_LABEL}:(?:{_LABEL})",
        description="a URL, or NAMESPACE/SERVICE:PORT",
        example="istio-system/prometheus:9090",
        longest=1024,
    ),
]

Query = Annotated[
    str,
    Pattern(
        pattern=r"(?=[\s\S]*\$window\b)(?:[^$]|\$(?:(?:services?|namespace|window)\b|[0-9]))+",
        description="PromQL with $window in it; other words with '$' are $service, $services and $namespace",
        example="sum by (destination_version, response_code) (increase(istio_requests_total"
        '{reporter="source",destination_service_name="$service"}[$window]))',
        longest=4096,
    ),
]


@dataclass(frozen=True, kw_only=True)
class Metrics:
    """The source of the metrics of `python -m operations traffic` and the canary."""

    prometheus: PrometheusAddress = "istio-system/prometheus:9090"
    """The URL of Prometheus, or its Service in the cluster, which is reached through the API server."""

    requests: Query | None = None
    """A query for the number of requests within `$window`, by `destination_version` and `response_code`.

    Where absent, Istio's `istio_requests_total`, as reported by the callers' proxies. `$service` is the name
    of the service, `$services` a regular expression for all Kubernetes Services that lead to it.
    """

    durations: Query | None = None
    """A query for the request durations within `$window`, in milliseconds, by `destination_version` and `le`.

    Where absent, Istio's `istio_request_duration_milliseconds_bucket`.
    """
