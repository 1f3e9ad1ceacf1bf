"""Ownership: every object carries the identity of its stack, and none is taken over from another owner.

Pulumi's provider creates by an upsert: an object that exists already would become the stack's own, and
`pulumi destroy` would delete it.
"""

import asyncio
import os
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pulumi

from components.manifests.labels import OURS
from components.model.stack import Stack
from components.model.stack_identity import LABEL, identity, owner_of
from components.rollout.hooks import is_outside_engine
from components.rollout.kubectl import Kubectl, KubectlError
from components.rollout.live_objects import Live, Ref, former_managers, is_leaving, read, release_fields
from components.schema.issues import Issue, Path
from components.schema.messages import (
    EXISTENCE_UNKNOWN,
    NAMESPACE_EXISTS,
    NAMESPACE_OWNER_UNKNOWN,
    OBJECT_EXISTS,
    OBJECT_TERMINATING,
)
from components.settings.errors import OwnershipError

FREE: Final = "object-is-free"
"""The hook before a creation, in previews too."""
ALONE: Final = "object-is-alone"
"""The hook after it."""

ADOPTS: Final = "MESH_APP_ADOPTS"
"""The variable by which `operations adopt` says that the state has objects without the stack's identity."""

KUBERNETES: Final = "kubernetes:"
"""How the types of all resources begin that are objects of the cluster."""

GONE_SECONDS: Final = 60.0
"""How long an update waits for an object of the same name that is being deleted."""
POLL_SECONDS: Final = 1.0

NAMES: Final = Path() / "namespace" / "name"


class Ownership:
    """One stack's, in one run of the program.

    It comes to the resources as a transformation, so that no component can forget it.
    """

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._identity = identity(pulumi.get_project(), pulumi.get_stack())
        self._kubectl = Kubectl(context=stack.cluster.context)
        self._declared: list[Ref] = []
        self._asked: dict[Ref, asyncio.Future[Live]] = {}
        self._hooks: pulumi.ResourceHookBinding | None = None
        self._is_reported = False
        self._adopts = os.environ.get(ADOPTS) == "true"

    @property
    def declared(self) -> frozenset[Ref]:
        """All objects that the program declares: the engine asks nothing before the program has run."""
        return frozenset(self._declared)

    def claim(self) -> None:
        """Mark and guard every object that the program declares from now on."""
        pulumi.runtime.register_stack_transformation(self._own)

    def _own(self, resource: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        if not resource.type_.startswith(KUBERNETES) or resource.opts.id is not None:
            return None  # what the program only reads is not the stack's
        props: dict[str, Any] = dict(resource.props)
        metadata = props["metadata"]
        mark = {} if resource.opts.retain_on_delete else {LABEL: self._identity}
        labels = {**(metadata.get("labels") or {}), **mark}
        self._declared.append(Ref.of(props))
        guarded = pulumi.ResourceOptions(hooks=self._binding())
        return pulumi.ResourceTransformationResult(
            props={**props, "metadata": {**metadata, "labels": labels}},
            opts=pulumi.ResourceOptions.merge(guarded, resource.opts),
        )

    def _binding(self) -> pulumi.ResourceHookBinding | None:
        """Bind the same hooks to all resources: the engine calls them for what it creates."""
        if is_outside_engine():
            return None
        if self._hooks is None:
            options = pulumi.ResourceHookOptions(on_dry_run=True)
            self._hooks = pulumi.ResourceHookBinding(
                before_create=[pulumi.ResourceHook(FREE, self._is_free, options)],
                after_create=[pulumi.ResourceHook(ALONE, self._is_alone)],
            )
        return self._hooks

    async def _is_free(self, args: pulumi.ResourceHookArgs) -> None:
        """Stop the creation of an object that exists and is not this stack's.

        One with this stack's identity comes from an update that was interrupted, or the state was restored,
        or refreshed against another cluster: the stack continues with what it made.
        """
        wanted = Ref.of(args.new_inputs or {})
        try:
            live = await self._live(wanted)
            issues = list(self._taken(wanted, live))
            if not (issues or pulumi.runtime.is_dry_run()):
                issues = await self._leaving(wanted, live)
        except KubectlError as error:
            context = self._stack.cluster.context
            issues = [EXISTENCE_UNKNOWN.at(Path("kubernetes") / "context", context, why=error)]
        if issues:
            is_reported, self._is_reported = self._is_reported, True
            raise OwnershipError(str(wanted), () if is_reported else issues)

    async def _is_alone(self, args: pulumi.ResourceHookArgs) -> None:
        """Drop the claims of an update that was interrupted after it had made an object.

        Its provider applied under a name that no state knows: a field that is taken out of the stack file
        later would stay, and `operations drift` would report every field as another owner's too.
        """
        wanted = Ref.of(args.new_inputs or {})
        if wanted not in await self._live(wanted):
            return
        try:
            live = await read(self._kubectl, [wanted], notes=True)
            for manager in former_managers(live[wanted]) if wanted in live else ():
                await release_fields(self._kubectl, wanted, manager)
        except KubectlError as error:
            # The object is made. `operations recover` drops the claims as well.
            pulumi.log.debug(f"the claims of an earlier update to {wanted} stay: {error}")

    async def _live(self, wanted: Ref) -> Live:
        """Ask for all declared objects by one kubectl, once."""
        if wanted not in self._asked:
            new = sorted({*self._declared, wanted} - self._asked.keys())
            self._asked |= dict.fromkeys(new, asyncio.ensure_future(read(self._kubectl, new)))
        return await self._asked[wanted]

    def _taken(self, wanted: Ref, live: Live) -> Iterator[Issue]:
        """List the object itself where it is another owner's, and others that surely are, for one report.

        Whose an object is that an older version of the program made, which marked none, only the engine
        knows: it asks for what is not in the state. The same holds for objects that are being adopted.
        """
        for ref, each in sorted(live.items()):
            if is_leaving(each) or owner_of(each) == self._identity:
                continue
            if ref == wanted or not (self._adopts or may_be_older(each)):
                yield self._issue(ref, each)

    def _issue(self, ref: Ref, live: Mapping[str, Any]) -> Issue:
        context, name = self._stack.cluster.context, pulumi.get_stack()
        adopt = f"python -m operations adopt --stack {name} --context {context}"
        words = {
            "object": ref,
            "name": ref.name,
            "owner": owner_text(live),
            "adopt": adopt,
            "context": context,
        }
        if ref.kind == "Namespace" and self._stack.namespace.existing:
            return NAMESPACE_OWNER_UNKNOWN.at(NAMES, ref.name, label=LABEL, **words)
        if ref.kind == "Namespace":
            return NAMESPACE_EXISTS.at(NAMES, ref.name, existing=Path() / "namespace" / "existing", **words)
        place = f" --namespace {ref.namespace}" if ref.namespace else ""
        delete = f"kubectl --context {context} delete {ref.kind.lower()} {ref.name}{place}"
        words |= {"delete": delete, "namespace": self._stack.namespace.name}
        return OBJECT_EXISTS.at(self._place(ref), str(ref), **words)

    def _place(self, ref: Ref) -> Path:
        """Find the key that names the object: its service's, or the ports of the ingress."""
        names = {service.app.name: place for place, service in self._stack.placed.items()}
        found = [app for app in names if ref.name == app or ref.name.startswith(f"{app}-")]
        if not found:
            return Path() / "ingress" / "extraPorts"
        place = names[max(found, key=len)]
        return place if place.parts else place / "app" / "name"

    async def _leaving(self, wanted: Ref, live: Live) -> list[Issue]:
        """Wait for an object of the same name that is being deleted."""
        ends = asyncio.get_running_loop().time() + GONE_SECONDS
        while is_leaving(live.get(wanted)):
            if asyncio.get_running_loop().time() > ends:
                held = ", ".join(live[wanted]["metadata"].get("finalizers") or ()) or "what it contains"
                return [OBJECT_TERMINATING.at(self._place(wanted), str(wanted), object=wanted, held=held)]
            pulumi.log.info(f"waiting until {wanted}, which is being deleted, is gone")
            await asyncio.sleep(POLL_SECONDS)
            live = await read(self._kubectl, [wanted])
        return []


def may_be_older(live: Mapping[str, Any]) -> bool:
    """Tell whether an older version of the program, which gave no identity, may have made an object."""
    labels = live["metadata"].get("labels") or {}
    return LABEL not in labels and OURS.items() <= labels.items()


def owner_text(live: Mapping[str, Any]) -> str:
    """Say what an object tells of its owner."""
    labels = live["metadata"].get("labels") or {}
    if LABEL in labels:
        return f"it belongs to stack {labels[LABEL]}"
    manager = labels.get("app.kubernetes.io/managed-by")
    return f"it is managed by {manager}" if manager else f"it has no label {LABEL}"
