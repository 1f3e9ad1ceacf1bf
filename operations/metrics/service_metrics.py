"""The figures of a service and its versions over a window: what canary, `traffic` and people judge by.

figures = Figures.of(project, stack, cluster)
(shop,) = [each for each in services_of(learn(project, stack)) if each.name == "shop"]
now = figures.measured(shop, window=60)                 # ServiceMetrics, the last 60 seconds
now.versions["v2"].success, now.versions["v2"].p99      # 0.995, 12.5 (ms); None where there was no request
figures.scalar("sum(rate(errors_total{app='$service',version='$version'}[$window]))",
               shop, version="v2", window=60)           # any PromQL that gives one number
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from operations.kube.cluster import Cluster
from operations.metrics.errors import InvalidSample
from operations.metrics.histogram import percentile
from operations.metrics.prometheus import Prometheus, Sample, sums
from operations.metrics.queries import Queries, filled
from operations.metrics.transport import reach
from operations.pulumi_stack.project import Project
from operations.pulumi_stack.services import MeshService

UNKNOWN = "unknown"
"""Istio's word for a version that the reporter could not tell, as of a request that reached no pod."""


@dataclass(frozen=True, kw_only=True)
class VersionMetrics:
    """What one version answered within the window."""

    requests: float
    """How many; counters are read every few seconds, so it is no whole number."""
    failures: float
    """How many of them got a 5xx, from the version or in its place."""
    window: float
    """Seconds."""
    share: float | None
    """Its part of the requests to all versions, 0 to 1; None where there was none to any."""
    p50: float | None
    """Half of the requests took at most so many milliseconds; None where there was none."""
    p90: float | None
    p99: float | None
    durations: Mapping[float, float]
    """How many took at most so many milliseconds, by that bound; infinity is the last one."""

    def percentile(self, part: float) -> float | None:
        """Estimate in how many milliseconds a part (0 to 1) of the requests was answered."""
        return percentile(self.durations, part)

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.requests / self.window

    @property
    def success(self) -> float | None:
        """The part that got no 5xx, 0 to 1; None where there was no request."""
        return 1 - self.failures / self.requests if self.requests else None


@dataclass(frozen=True, kw_only=True)
class ServiceMetrics:
    """What a service answered within the window."""

    service: MeshService
    window: float
    """Seconds."""
    versions: Mapping[str, VersionMetrics]
    """Every declared version, and after them whatever else answered, `unknown` included."""

    @property
    def requests(self) -> float:
        """Requests to all versions together."""
        return sum(each.requests for each in self.versions.values())


@dataclass(frozen=True)
class MetricsReader:
    """Asks Prometheus. Every method raises the errors of `operations.metrics.errors`."""

    prometheus: Prometheus
    queries: Queries

    @classmethod
    def of(cls, project: Project, stack: str, cluster: Cluster) -> Self:
        """Take address and queries from the stack file."""
        queries = Queries.of(project, stack)
        return cls(Prometheus(reach(queries.prometheus, cluster)), queries)

    def measured(self, service: MeshService, *, window: float, at: float | None = None) -> ServiceMetrics:
        """Measure a service over the window that ends at a moment, in Unix seconds; now where absent.

        Without traffic every version has 0 requests. A window of at least five scrapes gives counts that
        are right to a fifth or better; the first seconds after a proxy began are not known.
        """
        codes = sums(self._counts(self.queries.requests, service, window, at), "version", "response_code")
        bounds = sums(self._counts(self.queries.durations, service, window, at), "version", "le")
        total = sum(codes.values())
        others = sorted({version for version, _ in codes if codes[version, _]} - set(service.weights))
        versions = {}
        for version in (*service.weights, *others):
            of_code = {code: count for (name, code), count in codes.items() if name == version}
            requests = sum(of_code.values())
            buckets = {_bound(le): count for (name, le), count in bounds.items() if name == version}
            versions[version] = VersionMetrics(
                requests=requests,
                failures=sum(count for code, count in of_code.items() if code.startswith("5")),
                window=window,
                share=requests / total if total else None,
                p50=percentile(buckets, 0.50),
                p90=percentile(buckets, 0.90),
                p99=percentile(buckets, 0.99),
                durations=buckets,
            )
        return ServiceMetrics(service=service, window=window, versions=versions)

    def scalar(
        self,
        query: str,
        service: MeshService,
        *,
        window: float,
        version: str | None = None,
        at: float | None = None,
    ) -> float:
        """Ask for the one number that a query gives, with its `$service`, `$version`, `$window` … filled in.

        Raises:
            NoData: it gives no number: nothing was measured.
            InvalidSample: it gives several, or an infinite one.
        """
        return self.prometheus.scalar(filled(query, service, window=window, version=version), at=at)

    def _counts(
        self, query: str, service: MeshService, window: float, at: float | None
    ) -> tuple[Sample, ...]:
        samples = self.prometheus.instant(filled(query, service, window=window), at=at)
        return tuple(
            Sample(labels={**each.labels, "version": _version(each.labels, service)}, value=each.value)
            for each in samples
        )


def _version(labels: Mapping[str, str], service: MeshService) -> str:
    """A Service that selects one version says which: more than the metric where no pod answered."""
    selected = service.hosts.get(labels.get("destination_service_name", ""))
    return selected or labels.get("destination_version", "") or UNKNOWN


def _bound(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InvalidSample(
            f"a bucket of the histogram ends at {text!r}",
            fix="mend metrics.durations in the stack file: it must give counts by `le`",
        ) from None
