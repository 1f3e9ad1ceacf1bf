"""MeshNamespace: the stack's namespace, and whether Istio puts sidecars into its pods."""

import pulumi
from pulumi_kubernetes.core.v1 import Namespace as KubernetesNamespace

from components import workload
from components.model.stack import Injection, Namespace, Revision
from components.protection import Protection


class MeshNamespace(pulumi.ComponentResource):
    """A namespace with exactly one injection label, or none where each pod chooses for itself."""

    name: pulumi.Output[str]
    """Known once the namespace and its label are there."""

    def __init__(
        self, args: Namespace, *, protection: Protection, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("mesh:index:MeshNamespace", args.name, {"namespace": args.name}, opts)
        namespace = KubernetesNamespace(
            args.name,
            metadata={
                "name": args.name,
                "labels": {**workload.OURS, **injection_label(args.injection)},
            },
            opts=pulumi.ResourceOptions(
                parent=self,
                custom_timeouts=pulumi.CustomTimeouts(create="1m", delete="5m"),
            ).merge(protection.of()),
        )
        self.name = namespace.metadata["name"]
        self.register_outputs({"name": self.name})


def injection_label(injection: Injection) -> dict[str, str]:
    """Say the injection as the one label that means it. Two labels would overrule each other (IST0123)."""
    if isinstance(injection, Revision):
        return {"istio.io/rev": injection.revision}
    labels = {
        "enabled": {"istio-injection": "enabled"},
        "disabled": {"istio-injection": "disabled"},
        "ambient": {"istio.io/dataplane-mode": "ambient"},
        "manual": {},
    }
    return labels[injection]
