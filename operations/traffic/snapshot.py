"""One sample of a stack's services: weight, share, metrics and ready pods of each version."""

from collections.abc import Mapping
from dataclasses import dataclass

from operations.errors import OperationError
from operations.kube.cluster import Cluster
from operations.kube.pod_readiness import Pods, pods_of
from operations.metrics.errors import MetricsError
from operations.metrics.service_metrics import MetricsReader, ServiceMetrics
from operations.pulumi_stack.cluster_pin import meant_cluster
from operations.pulumi_stack.program import learn
from operations.pulumi_stack.project import Project
from operations.pulumi_stack.services import MeshService, services_of


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One service at one time."""

    service: MeshService
    pods: Mapping[str, Pods | None]
    """By declared version; None if the cluster does not answer."""
    metrics: ServiceMetrics | None
    why: MetricsError | None = None
    """Why there are no metrics."""

    @property
    def notice(self) -> str | None:
        """A text to show below the metrics; None if there is nothing to explain."""
        if self.metrics is None:
            return str(self.why)
        if not self.metrics.requests:
            return f"no requests within {self.metrics.window:g} s"
        return None


@dataclass(frozen=True, kw_only=True)
class Target:
    """The declared services of a stack, their cluster and their metrics."""

    text: str
    """The text of the stack file."""
    services: tuple[MeshService, ...]
    cluster: Cluster
    metrics: MetricsReader

    @classmethod
    def of(cls, project: Project, stack: str, service: str | None) -> "Target":
        """Find out what the stack file declares, for all services or for one.

        Raises:
            OperationError: the stack file has errors, or has no such service.
        """
        project.config(stack)
        text = project.stack_file(stack).read_text(encoding="utf-8")
        declared = learn(project, stack)
        services = services_of(declared)
        names = [each.name for each in services]
        if service not in {None, *names}:
            raise OperationError(
                f"the stack has no service {service}; it has {', '.join(names)}",
                fix=f"--service {names[0]}",
            )
        cluster = meant_cluster(declared.resources)
        return cls(
            text=text,
            services=tuple(each for each in services if service in {None, each.name}),
            cluster=cluster,
            metrics=MetricsReader.of(project, stack, cluster),
        )

    def sample(self, window: float) -> list[Sample]:
        """Sample each service over the last seconds. A failure is part of the sample."""
        return [self._at(service, window) for service in self.services]

    def _at(self, service: MeshService, window: float) -> Sample:
        pods = {version: pods_of(self.cluster, service, version) for version in service.deployments}
        try:
            metrics = self.metrics.measured(service, window=window)
        except MetricsError as error:
            return Sample(service=service, pods=pods, metrics=None, why=error)
        return Sample(service=service, pods=pods, metrics=metrics)
