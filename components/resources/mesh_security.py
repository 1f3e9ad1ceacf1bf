"""MeshSecurity: who may call a service, enforced by the proxies of its pods."""

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
    """Make a MeshSecurity where the stack file asks for one; returns the policies that pods wait for."""
    if args.security is None:
        return ()
    return MeshSecurity(args, stack=stack, update=update, opts=opts).policies


class MeshSecurity(pulumi.ComponentResource):
    """What the stack file asks for of PeerAuthentication, RequestAuthentication and AuthorizationPolicy.

    They select pods by label, so they can exist before any pod does. Each comes after the one before: a mode,
    then tokens, then the list of callers. They are deleted in reverse, so that no request is refused for a
    proof that no proxy checks any more.
    """

    policies: Sequence[pulumi.Resource]
    """What has to exist before the first pod that it selects."""

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
    """Say in the preview, and before the update, whose calls will be refused that are not today."""
    if is_outside_engine():
        return None

    async def warn(_: pulumi.ResourceHookArgs) -> None:
        if callers := await update.live_state.without_proxy(app):
            pulumi.log.warn(refused(app.name, callers))

    hook = update.hooks.of("policy-comes", app.name, warn, on_dry_run=True)
    return pulumi.ResourceHookBinding(before_create=[hook])


def refused(app: str, callers: Sequence[str]) -> str:
    """Word the warning, with the way that loses no request."""
    return (
        f"the pods of {', '.join(callers)} run without a proxy: as soon as the policies of {app} exist, what "
        f"they ask of {app} is refused until they have one. To lose none of these requests, in two steps: "
        "`pulumi up` with injection switched on, then `pulumi up` with security"
    )
