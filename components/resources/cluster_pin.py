"""ClusterPin: the stack file says which cluster is meant, and no other gets a single change."""

from typing import Final

import pulumi
from pulumi_kubernetes.core.v1 import Namespace

from components.model.stack import ANY, Stack
from components.rollout.hooks import before_delete
from components.schema.issues import Path
from components.schema.messages import WRONG_CLUSTER
from components.settings.errors import ConfigError

KEY: Final = Path() / "clusterUid"

WITNESS: Final = "kube-system"
"""The namespace that every cluster has and nobody can delete: its uid is taken for the cluster's own."""


class ClusterPin(pulumi.ComponentResource):
    """Reads who the cluster is, in previews too, where the stack file pins the stack to one."""

    passed: pulumi.Output[list[pulumi.Resource]]
    """Empty, once the cluster is the right one. What depends on it is not even registered on another."""

    def __init__(self, args: Stack, opts: pulumi.ResourceOptions | None = None) -> None:
        known = pulumi.ResourceOptions(aliases=[pulumi.Alias(name=each) for each in args.former_names])
        super().__init__("mesh:index:ClusterPin", "pin", {"uid": args.cluster_uid}, known.merge(opts))
        self._args = args
        # Named by its key: where it cannot be read, the engine's error is all that a person sees.
        witness = Namespace.get("mesh-app:clusterUid", WITNESS, opts=pulumi.ResourceOptions(parent=self))
        self.passed = witness.metadata.apply(lambda metadata: self._check(metadata["uid"]))
        self.register_outputs({"uid": args.cluster_uid})

    def _check(self, found: str) -> list[pulumi.Resource]:
        if found == self._args.cluster_uid:
            return []
        words = {"found": found, "context": self._args.cluster.context, "witness": WITNESS}
        raise ConfigError([WRONG_CLUSTER.at(KEY, self._args.cluster_uid, **words)])


def pinned(args: Stack, provider: pulumi.ProviderResource) -> pulumi.ResourceOptions:
    """Options for all that goes to the cluster: on this provider, and not before the pin has passed."""
    on_cluster = pulumi.ResourceOptions(providers=[provider])
    asked = before_delete(str(KEY), _is_passed)
    if args.cluster_uid == ANY:
        return on_cluster
    pin = ClusterPin(args, opts=on_cluster.merge(pulumi.ResourceOptions(hooks=asked)))
    return pulumi.ResourceOptions(providers=[provider], depends_on=pin.passed)


def _is_passed(_: pulumi.ResourceHookArgs) -> None:
    """Stand in the state: for its sake Pulumi destroys nothing without the program, and the pin with it."""
