"""Labels every object with the identity of its stack, and refuses to create objects of other owners.

Pulumi's provider creates with an upsert: an existing object would become the stack's own, and `pulumi
destroy` would delete it.
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
from components.rollout.live_objects import Live, Ref, former_managers, is_terminating, read, release_fields
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
"""The hook before a creation, also in previews."""
ALONE: Final = "object-is-alone"
"""The hook after a creation."""

ADOPTS: Final = "MESH_APP_ADOPTS"
"""Set by `operations adopt` while the state contains objects without the stack's identity."""

KUBERNETES: Final = "kubernetes:"
"""The prefix of the types of all Kubernetes resources."""

GONE_SECONDS: Final = 60.0
"""How long an update waits for an object of the same name that is being deleted."""
POLL_SECONDS: Final = 1.0

NAMES: Final = Path() / "namespace" / "name"


class Ownership:
    """Ownership of the stack's objects, in one run of the program.

    A transformation applies it to all resources, so that no component can omit it.
    """

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._identity = identity(pulumi.get_project(), pulumi.get_stack())
        self._kubectl = Kubectl(context=stack.cluster.context)
        self._declared: list[Ref] = []
        self._queries: dict[Ref, asyncio.Future[Live]] = {}
        self._hooks: pulumi.ResourceHookBinding | None = None
        self._is_reported = False
        self._adopts = os.environ.get(ADOPTS) == "true"

    @property
    def declared(self) -> frozenset[Ref]:
        """All objects that the program declares: the engine calls hooks only after the program has run."""
        return frozenset(self._declared)

    def claim(self) -> None:
        """Label and guard every object that the program declares from now on."""
        pulumi.runtime.register_stack_transformation(self._own)

    def _own(self, resource: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        if not resource.type_.startswith(KUBERNETES) or resource.opts.id is not None:
            return None  # The program only reads it.
        props: dict[str, Any] = dict(resource.props)
        metadata = props["metadata"]
        label = {} if resource.opts.retain_on_delete else {LABEL: self._identity}
        labels = {**(metadata.get("labels") or {}), **label}
        self._declared.append(Ref.of(props))
        guarded = pulumi.ResourceOptions(hooks=self._binding())
        return pulumi.ResourceTransformationResult(
            props={**props, "metadata": {**metadata, "labels": labels}},
            opts=pulumi.ResourceOptions.merge(guarded, resource.opts),
        )

    def _binding(self) -> pulumi.ResourceHookBinding | None:
        """Return the hooks for all resources; the engine calls them for those that it creates."""
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
        """Fail the creation of an object that exists and is not this stack's.

        An object with this stack's identity that is missing in the state is accepted: an update was
        interrupted, or the state was restored or refreshed against another cluster.
        """
        wanted = Ref.of(args.new_inputs or {})
        try:
            live = await self._live(wanted)
            issues = list(self._taken(wanted, live))
            if not (issues or pulumi.runtime.is_dry_run()):
                issues = await self._wait_for_deletion(wanted, live)
        except KubectlError as error:
            context = self._stack.cluster.context
            issues = [EXISTENCE_UNKNOWN.at(Path("kubernetes") / "context", context, why=error)]
        if issues:
            is_reported, self._is_reported = self._is_reported, True
            raise OwnershipError(str(wanted), () if is_reported else issues)

    async def _is_alone(self, args: pulumi.ResourceHookArgs) -> None:
        """Remove the field managers of an update that was interrupted after it had created an object.

        The name of its manager is in no state: a field that is removed from the stack file later would stay,
        and `operations drift` would report every field as shared with another owner.
        """
        wanted = Ref.of(args.new_inputs or {})
        if wanted not in await self._live(wanted):
            return
        try:
            live = await read(self._kubectl, [wanted], managed_fields=True)
            for manager in former_managers(live[wanted]) if wanted in live else ():
                await release_fields(self._kubectl, wanted, manager)
        except KubectlError as error:
            # The object is created. `operations recover` removes the field managers as well.
            pulumi.log.debug(f"field managers of an earlier update of {wanted} remain: {error}")

    async def _live(self, wanted: Ref) -> Live:
        """Read all declared objects with one kubectl, once."""
        if wanted not in self._queries:
            new = sorted({*self._declared, wanted} - self._queries.keys())
            self._queries |= dict.fromkeys(new, asyncio.ensure_future(read(self._kubectl, new)))
        return await self._queries[wanted]

    def _taken(self, wanted: Ref, live: Live) -> Iterator[Issue]:
        """Report the object if it belongs to another owner, and all others that certainly do.

        Objects of older versions of the program have no label: only the engine knows whether the state
        contains them, and it calls this hook for those that it does not contain. The same applies during
        adoption.
        """
        for ref, each in sorted(live.items()):
            if is_terminating(each) or owner_of(each) == self._identity:
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
        """Return the key that names the object: that of its service, or the ports of the ingress."""
        names = {service.app.name: place for place, service in self._stack.placed.items()}
        found = [app for app in names if ref.name == app or ref.name.startswith(f"{app}-")]
        if not found:
            return Path() / "ingress" / "extraPorts"
        place = names[max(found, key=len)]
        return place if place.parts else place / "app" / "name"

    async def _wait_for_deletion(self, wanted: Ref, live: Live) -> list[Issue]:
        """Wait until an object of the same name that is being deleted is gone."""
        ends = asyncio.get_running_loop().time() + GONE_SECONDS
        while is_terminating(live.get(wanted)):
            if asyncio.get_running_loop().time() > ends:
                held = ", ".join(live[wanted]["metadata"].get("finalizers") or ()) or "its contents"
                return [OBJECT_TERMINATING.at(self._place(wanted), str(wanted), object=wanted, held=held)]
            pulumi.log.info(f"waiting for the deletion of {wanted}")
            await asyncio.sleep(POLL_SECONDS)
            live = await read(self._kubectl, [wanted])
        return []


def may_be_older(live: Mapping[str, Any]) -> bool:
    """Return whether an older version of the program, which set no identity, may have created an object."""
    labels = live["metadata"].get("labels") or {}
    return LABEL not in labels and OURS.items() <= labels.items()


def owner_text(live: Mapping[str, Any]) -> str:
    """Describe the owner of an object by its labels."""
    labels = live["metadata"].get("labels") or {}
    if LABEL in labels:
        return f"it belongs to stack {labels[LABEL]}"
    manager = labels.get("app.kubernetes.io/managed-by")
    return f"it is managed by {manager}" if manager else f"it has no label {LABEL}"
