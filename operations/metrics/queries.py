"""What is asked of Prometheus: Istio's standard metrics, or what the stack file says in their place."""

import json
from dataclasses import dataclass
from string import Template
from typing import Final

from operations.pulumi_stack.project import Project
from operations.pulumi_stack.services import MeshService

PROMETHEUS: Final = "istio-system/prometheus:9090"
"""Where Istio's own addon and `mesh-platform/` put it."""

# reporter="source": the gateway and the callers' proxies also count what never reached a pod.
_SERIES: Final = (
    '{reporter="source",destination_service_namespace="$namespace",destination_service_name=~"$services"}'
)


def _counted(metric: str, *labels: str) -> str:
    """Sum the growth of a counter over the window.

    `increase` loses what a series counted before Prometheus first saw it, as the first error of a version.
    All of such a series is new where its proxy was scraped already when the window began.
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
    """The stack file's key `metrics`, with Istio's standard metrics where it says nothing.

    In each query stand `$service` (its name), `$services` (a regular expression of all Kubernetes Services
    that lead to it), `$namespace`, `$window` (as `60000ms`), and where one version is asked for, `$version`.
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
    """Put names and the window, in seconds, into a query. Other `$` stay, as in label_replace."""
    words = {
        "service": service.name,
        "services": "|".join(sorted(service.hosts)),
        "namespace": service.namespace,
        "window": f"{round(window * 1000)}ms",
    }
    return Template(query).safe_substitute(words if version is None else words | {"version": version})
