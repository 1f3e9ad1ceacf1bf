"""The queries to Prometheus: Istio's standard metrics, or those of the stack file."""

import json
from dataclasses import dataclass
from string import Template
from typing import Final

from operations.pulumi_stack.project import Project
from operations.pulumi_stack.services import MeshService

PROMETHEUS: Final = "istio-system/prometheus:9090"
"""The address in Istio's addon and in `mesh-platform/`."""

# reporter="source": the gateway and the callers' proxies also count requests that reached no pod.
_SERIES: Final = (
    '{reporter="source",destination_service_namespace="$namespace",destination_service_name=~"$services"}'
)


def _counted(metric: str, *labels: str) -> str:
    """Sum the increase of a counter over the window.

    `increase` omits the count at the first sample of a new series, such as the first error of a version. If
    the proxy was already scraped when the window began, the whole count of a new series is an increase.
    """
    series = f"{metric}{_SERIES}"
    return (
        f"sum by (destination_service_name, destination_version, {', '.join(labels)}) ("
        f"(last_over_time({series}[$window]) unless {series} offset $window)"
        f" and on (job, instance) (up offset $window == 1)"
        f" or increase({series}[$window]))"
    )


REQUESTS: Final = _counted("istio_requests_total", "response_code")
DURATIONS: Final = _counted("istio_request_duration_milliseconds_bucket", "le")


@dataclass(frozen=True, kw_only=True)
class Queries:
    """The stack file's key `metrics`, with Istio's standard metrics by default.

    A query can contain `$service` (its name), `$services` (a regular expression of all its Kubernetes
    Services), `$namespace`, `$window` (as `60000ms`), and `$version` if it is about one version.
    """

    prometheus: str = PROMETHEUS
    """A URL, or NAMESPACE/SERVICE:PORT, which is reached through the API server."""
    requests: str = REQUESTS
    """Requests in the window, by `destination_version` and `response_code`."""
    durations: str = DURATIONS
    """The same by `destination_version` and `le`: a cumulative histogram in milliseconds."""

    @classmethod
    def of(cls, project: Project, stack: str) -> "Queries":
        """Read them from a stack's config, which the program has checked."""
        text = project.config(stack).values.get(f"{project.name}:metrics") or "{}"
        return cls(**json.loads(text))


def filled(query: str, service: MeshService, *, window: float, version: str | None = None) -> str:
    """Insert names and the window, in seconds, into a query. Other `$` remain, as in label_replace."""
    words = {
        "service": service.name,
        "services": "|".join(sorted(service.hosts)),
        "namespace": service.namespace,
        "window": f"{round(window * 1000)}ms",
    }
    return Template(query).safe_substitute(words if version is None else words | {"version": version})
