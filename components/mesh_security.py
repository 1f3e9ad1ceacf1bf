"""MeshSecurity: who may call a service, enforced by the proxies of its pods."""

from collections.abc import Sequence

import pulumi

from components import security
from components.mesh_object import mesh_object
from components.model.service import Service
from components.model.stack import Stack


def secure(
    args: Service, *, stack: Stack, opts: pulumi.ResourceOptions | None = None
) -> Sequence[pulumi.Resource]:
    """Make a MeshSecurity where the stack file asks for one; returns the policies that pods wait for."""
    if args.security is None:
        return ()
    return MeshSecurity(args, stack=stack, opts=opts).policies


class MeshSecurity(pulumi.ComponentResource):
    """What the stack file asks for of PeerAuthentication, RequestAuthentication and AuthorizationPolicy.

    They select pods by label, so they can exist before any pod does. Each comes after the one before: a mode,
    then tokens, then the list of callers. They are deleted in reverse, so that no request is refused for a
    proof that no proxy checks any more.
    """

    policies: Sequence[pulumi.Resource]
    """What has to exist before the first pod that it selects."""

    def __init__(self, args: Service, *, stack: Stack, opts: pulumi.ResourceOptions | None = None) -> None:
        name = args.app.name
        super().__init__("mesh:index:MeshSecurity", name, {"app": name}, opts)
        made: list[pulumi.Resource] = []
        specs = security.specs(args, stack.ingress)
        for kind, spec in specs.items():
            made.append(
                mesh_object(
                    "security.istio.io/v1",
                    kind,
                    name,
                    spec,
                    app=args.app,
                    namespace=stack.namespace.name,
                    parent=self,
                    after=list(made),
                )
            )
        self.policies = made
        self.register_outputs({"policies": list(specs)})
