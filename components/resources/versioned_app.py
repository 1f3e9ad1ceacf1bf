"""VersionedApp: a Service, and a Deployment for each version."""

from collections.abc import Mapping, Sequence

import pulumi
from pulumi_kubernetes.apps.v1 import Deployment
from pulumi_kubernetes.autoscaling.v2 import HorizontalPodAutoscaler
from pulumi_kubernetes.core.v1 import Service as KubernetesService
from pulumi_kubernetes.core.v1 import ServiceAccount
from pulumi_kubernetes.policy.v1 import PodDisruptionBudget

from components.manifests import deployment
from components.manifests.horizontal_pod_autoscaler import horizontal_pod_autoscaler
from components.manifests.labels import OWNED, labels
from components.manifests.pod_disruption_budget import pod_disruption_budget
from components.manifests.service import UNAWAITED, service_spec
from components.model.service import Service
from components.model.stack import Stack
from components.resources.protection import Protection
from components.rollout.handover import Handover
from components.rollout.pod_readiness import PROVIDER_SECONDS


class VersionedApp(pulumi.ComponentResource):
    """The pods of a service; TrafficPolicy routes requests to them.

    No pod is created before the policies that restrict its callers. Pulumi deletes in reverse, and waits
    until the pods of a Deployment are gone.
    """

    service: KubernetesService
    workloads: Mapping[str, Sequence[pulumi.Resource]]
    """The resources that must exist before a version's subset, and longer: Deployment, autoscaler, budget."""

    def __init__(
        self,
        args: Service,
        *,
        stack: Stack,
        handover: Handover,
        policies: Sequence[pulumi.Resource],
        protection: Protection,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        app, self._namespace = args.app, stack.namespace.name
        super().__init__("mesh:index:VersionedApp", app.name, {"app": app.name}, opts)
        metadata = {"name": app.name, "namespace": self._namespace, "labels": labels(app)}
        child, wait = pulumi.ResourceOptions(parent=self), f"{PROVIDER_SECONDS}s"
        account = ServiceAccount(
            app.name, metadata=metadata, automount_service_account_token=False, opts=child
        )
        self.service = KubernetesService(
            app.name,
            metadata={**metadata, "annotations": UNAWAITED},
            spec=service_spec(args),
            opts=child.merge(protection.of()),
        )
        pods = {
            version: Deployment(
                args.workload(version),
                metadata={
                    "name": args.workload(version),
                    "namespace": self._namespace,
                    # Kiali compares the Service's selector with the Deployment's own labels (KIA0701).
                    "labels": labels(app, version),
                    # A manual scale owns `replicas` until the next change of the Deployment.
                    "annotations": OWNED,
                },
                spec=deployment.deployment(args, version, stack.namespace),
                opts=pulumi.ResourceOptions(
                    parent=self,
                    depends_on=[account, *policies],
                    custom_timeouts=pulumi.CustomTimeouts(create=wait, update=wait, delete="5m"),
                    hooks=handover.of_pods(version),
                ).merge(protection.of_version(args, version)),
            )
            for version in args.versions
        }
        self.workloads = {
            version: [each, *self._scaling(args, version, each)] for version, each in pods.items()
        }
        self.register_outputs({"service": app.name, "versions": list(args.versions)})

    def _scaling(self, args: Service, version: str, pods: pulumi.Resource) -> list[pulumi.Resource]:
        """Create the autoscaler and the disruption budget of a version."""
        own, name = args.versions[version], args.workload(version)
        metadata = {
            "name": name,
            "namespace": self._namespace,
            "labels": labels(args.app, version),
        }
        after = pulumi.ResourceOptions(parent=self, depends_on=[pods])
        made: list[pulumi.Resource] = []
        if own.autoscaling:
            spec = horizontal_pod_autoscaler(name, args.app.name, own.autoscaling)
            made.append(HorizontalPodAutoscaler(name, metadata=metadata, spec=spec, opts=after))
        if own.disruption_budget:
            spec = pod_disruption_budget(args.app, version, own.disruption_budget)
            made.append(PodDisruptionBudget(name, metadata=metadata, spec=spec, opts=after))
        return made
