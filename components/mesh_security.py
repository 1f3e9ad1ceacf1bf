"""MeshSecurity: who may call a service, enforced by the proxies of its pods."""

from collections.abc import Iterable, Sequence
from itertools import chain

import pulumi

from components import security
from components.mesh_object import mesh_object
from components.model.service import Service
from components.model.stack import Stack


def secure(
    args: Service,
    *,
    stack: Stack,
    workloads: Iterable[Sequence[pulumi.Resource]],
    opts: pulumi.ResourceOptions | None = None,
) -> Sequence[pulumi.Resource]:
    """Make a MeshSecurity where the stack file asks for one; returns the policies that routes wait for."""
    if args.security is None:
        return ()
    return MeshSecurity(args, stack=stack, workloads=workloads, opts=opts).policies


class MeshSecurity(pulumi.ComponentResource):
    """What the stack file asks for of PeerAuthentication, RequestAuthentication and AuthorizationPolicy.

    They come once the pods have their proxies, each after the one before: a mode, then tokens, then the list
    of callers. They go the other way round, so that nobody is refused for a proof that is not yet looked at.
    """

    policies: Sequence[pulumi.Resource]
    """What has to be there before a request from outside."""

    def __init__(
        self,
        args: Service,
        *,
        stack: Stack,
        workloads: Iterable[Sequence[pulumi.Resource]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        name = args.app.name
        super().__init__("mesh:index:MeshSecurity", name, {"app": name}, opts)
        specs = security.specs(args, stack.ingress)
        pods = list(chain.from_iterable(workloads))
        made: list[pulumi.Resource] = []
        for kind, spec in specs.items():
            after = [*pods, *made]
            made.append(
                mesh_object(
                    "security.istio.io/v1",
                    kind,
                    name,
                    spec,
                    app=args.app,
                    namespace=stack.namespace.name,
                    parent=self,
                    after=after,
                )
            )
        self.policies = made
        self.register_outputs({"policies": list(specs)})
