"""MeshNamespace: the stack's namespace, with its injection label."""

import pulumi
from pulumi_kubernetes.core.v1 import Namespace as KubernetesNamespace

from components.manifests.labels import OURS
from components.model.stack import Injection, Revision, Stack
from components.model.stack_identity import LABEL, NO_STACK
from components.resources.existing_namespace import labels_of_own
from components.resources.protection import Protection
from components.rollout.hooks import is_outside_engine


class MeshNamespace(pulumi.ComponentResource):
    """A namespace with exactly one injection label, or none with `manual`.

    An existing one is checked and not declared.
    """

    name: pulumi.Output[str]
    """Resolved when the namespace and its label exist."""

    def __init__(
        self, args: Stack, *, protection: Protection, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        name, injection = args.namespace.name, args.namespace.injection
        super().__init__("mesh:index:MeshNamespace", name, {"namespace": name}, opts)
        self._namespace = name
        if args.namespace.existing:
            self.name = pulumi.Output.from_input(name)
            self._release(None if is_outside_engine() else labels_of_own(args))
        else:
            labels = {**OURS, **injection_label(injection)}
            self.name = self._declare(labels, protection.of()).metadata["name"]
        self.register_outputs({"name": self.name})

    def _release(self, labels: dict[str, str] | None) -> None:
        """Declare the stack's namespace for one more update, with `retain_on_delete` and without an owner.

        The next update removes it from the state.
        """
        if labels is None:
            return
        pulumi.log.warn(
            f"this stack created namespace {self._namespace} and releases it with this update: the namespace "
            "and its contents are not deleted; the next `pulumi up` removes it from the state"
        )
        self._declare({**labels, LABEL: NO_STACK}, pulumi.ResourceOptions(retain_on_delete=True))

    def _declare(self, labels: dict[str, str], opts: pulumi.ResourceOptions) -> KubernetesNamespace:
        own = pulumi.ResourceOptions(
            parent=self, custom_timeouts=pulumi.CustomTimeouts(create="1m", delete="5m")
        )
        metadata = {"name": self._namespace, "labels": labels}
        return KubernetesNamespace(self._namespace, metadata=metadata, opts=own.merge(opts))


def injection_label(injection: Injection) -> dict[str, str]:
    """Return the single label of an injection mode. Two labels would conflict (IST0123)."""
    if isinstance(injection, Revision):
        return {"istio.io/rev": injection.revision}
    labels = {
        "enabled": {"istio-injection": "enabled"},
        "disabled": {"istio-injection": "disabled"},
        "ambient": {"istio.io/dataplane-mode": "ambient"},
        "manual": {},
    }
    return labels[injection]
