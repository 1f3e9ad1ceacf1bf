"""Metrics of a service and its versions over a window, for the canary and `operations traffic`.

metrics = MetricsReader.of(project, stack, cluster)
(shop,) = [each for each in services_of(learn(project, stack)) if each.name == "shop"]
now = metrics.measured(shop, window=60)                 # ServiceMetrics, the last 60 seconds
now.versions["v2"].success, now.versions["v2"].p99      # 0.995, 12.5 (ms); None without requests
metrics.scalar("sum(rate(errors_total{app='$service',version='$version'}[$window]))",
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
"""Istio's value for an unknown version, as of a request that reached no pod."""


@dataclass(frozen=True, kw_only=True)
class VersionMetrics:
    """The requests to one version within the window."""

    requests: float
    """Number of requests; fractional, since counters are read every few seconds and extrapolated."""
    failures: float
    """Number of requests with status 5xx, from the version or from a proxy."""
    window: float
    """Seconds."""
    share: float | None
    """Its share of the requests to all versions, 0 to 1; None without requests."""
    p50: float | None
    """Median of the durations in milliseconds; None without requests."""
    p90: float | None
    p99: float | None
    durations: Mapping[float, float]
    """Cumulative number of requests by upper bound of the duration in milliseconds; the last is infinity."""

    def percentile(self, part: float) -> float | None:
        """Estimate the milliseconds within which a share (0 to 1) of the requests was answered."""
        return percentile(self.durations, part)

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.requests / self.window

    @property
    def success(self) -> float | None:
        """The share of requests without status 5xx, 0 to 1; None without requests."""
        return 1 - self.failures / self.requests if self.requests else None


@dataclass(frozen=True, kw_only=True)
class ServiceMetrics:
    """The requests to a service within the window."""

    service: MeshService
    window: float
    """Seconds."""
    versions: Mapping[str, VersionMetrics]
    """Every declared version, then other versions with requests, `unknown` included."""

    @property
    def requests(self) -> float:
        """Requests to all versions together."""
        return sum(each.requests for each in self.versions.values())


@dataclass(frozen=True)
class MetricsReader:
    """Queries Prometheus. Every method raises the errors of `operations.metrics.errors`."""

    prometheus: Prometheus
    queries: Queries

    @classmethod
    def of(cls, project: Project, stack: str, cluster: Cluster) -> Self:
        """Read the address and the queries from the stack file."""
        queries = Queries.of(project, stack)
        return cls(Prometheus(reach(queries.prometheus, cluster)), queries)

    def measured(self, service: MeshService, *, window: float, at: float | None = None) -> ServiceMetrics:
        """Measure a service over the window that ends at a Unix time, by default now.

        Without traffic every version has 0 requests. With a window of at least five scrapes the error of the
        counts is at most 20 %; the first seconds after the start of a proxy are unknown.
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
        """Query one number, with `$service`, `$version`, `$window` … of the query filled in.

        Raises:
            NoData: the result is empty: nothing was measured.
            InvalidSample: the result has several series, or is infinite.
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
    """Prefer the version that a Service selects to the metric's, which is unknown if no pod answered."""
    selected = service.hosts.get(labels.get("destination_service_name", ""))
    return selected or labels.get("destination_version", "") or UNKNOWN


def _bound(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InvalidSample(
            f"a bucket of the histogram has the bound {text!r}",
            fix="correct metrics.durations in the stack file: it must return counts by `le`",
        ) from None
