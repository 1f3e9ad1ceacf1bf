"""ClusterPin: checks that the cluster is the one that the stack file names, before anything is changed."""

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
"""The namespace whose uid identifies the cluster: every cluster has it, and it cannot be deleted."""


class ClusterPin(pulumi.ComponentResource):
    """Reads the uid of the cluster, also in previews, if the stack file pins it."""

    passed: pulumi.Output[list[pulumi.Resource]]
    """An empty list once the check has passed. Resources that depend on it are not registered otherwise."""

    def __init__(self, args: Stack, opts: pulumi.ResourceOptions | None = None) -> None:
        known = pulumi.ResourceOptions(aliases=[pulumi.Alias(name=each) for each in args.former_names])
        super().__init__("mesh:index:ClusterPin", "pin", {"uid": args.cluster_uid}, known.merge(opts))
        self._args = args
        # Named after its key, which the engine's error then contains.
        witness = Namespace.get("mesh-app:clusterUid", WITNESS, opts=pulumi.ResourceOptions(parent=self))
        self.passed = witness.metadata.apply(lambda metadata: self._check(metadata["uid"]))
        self.register_outputs({"uid": args.cluster_uid})

    def _check(self, found: str) -> list[pulumi.Resource]:
        if found == self._args.cluster_uid:
            return []
        words = {"found": found, "context": self._args.cluster.context, "witness": WITNESS}
        raise ConfigError([WRONG_CLUSTER.at(KEY, self._args.cluster_uid, **words)])


def pinned(args: Stack, provider: pulumi.ProviderResource) -> pulumi.ResourceOptions:
    """Return the options of all resources in the cluster: this provider, and the check of the pin before."""
    on_cluster = pulumi.ResourceOptions(providers=[provider])
    hooks = before_delete(str(KEY), _no_check)
    if args.cluster_uid == ANY:
        return on_cluster
    pin = ClusterPin(args, opts=on_cluster.merge(pulumi.ResourceOptions(hooks=hooks)))
    return pulumi.ResourceOptions(providers=[provider], depends_on=pin.passed)


def _no_check(_: pulumi.ResourceHookArgs) -> None:
    """Do nothing: while the state contains this hook, `pulumi destroy` needs the program and so the check."""
