"""MeshSecurity: authentication and authorization of a service's callers."""

from collections.abc import Sequence

import pulumi

from components.manifests import security
from components.model.service import App, Service
from components.model.stack import Stack
from components.resources.custom_resource import mesh_object
from components.rollout.hooks import is_outside_engine
from components.rollout.update import Update


def secure(
    args: Service, *, stack: Stack, update: Update, opts: pulumi.ResourceOptions | None = None
) -> Sequence[pulumi.Resource]:
    """Create a MeshSecurity if the stack file has `security`; returns the policies that pods wait for."""
    if args.security is None:
        return ()
    return MeshSecurity(args, stack=stack, update=update, opts=opts).policies


class MeshSecurity(pulumi.ComponentResource):
    """PeerAuthentication, RequestAuthentication and AuthorizationPolicy, as far as the stack file needs them.

    They select pods by label, so they can exist before the pods. They are created in this order and deleted
    in reverse, so that no request is refused for a credential that no proxy validates any more.
    """

    policies: Sequence[pulumi.Resource]
    """The policies, which must exist before the first pod that they select."""

    def __init__(
        self, args: Service, *, stack: Stack, update: Update, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        name = args.app.name
        super().__init__("mesh:index:MeshSecurity", name, {"app": name}, opts)
        made: list[pulumi.Resource] = []
        specs = security.specs(args, stack.ingress)
        refusing = security.refuses_plain_text(args)
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
                    hooks=_warning(args.app, update) if kind == refusing else None,
                )
            )
        self.policies = made
        self.register_outputs({"policies": list(specs)})


def _warning(app: App, update: Update) -> pulumi.ResourceHookBinding | None:
    """Warn, in the preview and before the update, about callers whose requests will be refused."""
    if is_outside_engine():
        return None

    async def warn(_: pulumi.ResourceHookArgs) -> None:
        if callers := await update.live_state.without_proxy(app):
            pulumi.log.warn(refused(app.name, callers))

    hook = update.hooks.of("before-policy-create", app.name, warn, on_dry_run=True)
    return pulumi.ResourceHookBinding(before_create=[hook])


def refused(app: str, callers: Sequence[str]) -> str:
    """Return the warning, with the steps that lose no requests."""
    return (
        f"the pods of {', '.join(callers)} run without a proxy: once the policies of {app} exist, their "
        f"requests to {app} are refused until they have one. To lose none of these requests, use two "
        "updates: `pulumi up` with injection enabled, then `pulumi up` with security"
    )
