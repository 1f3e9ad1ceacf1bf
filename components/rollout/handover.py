"""The hooks that pass traffic from version to version without losing a request.

One update of one service, in the order in which the engine calls the hooks. A service may have several routes
objects (VirtualServices or HTTPRoutes): v3 is added by the first one that sends it requests, and v1 is
removed once the last one has stopped.

    engine                         hook
    ─────────────────────────────  ────────────────────────────────────────────────────────────────────────
    create subset of v3            before: sample all proxies, once for all new subsets
    update Deployment of v2        before: pass `replicas` to an autoscaler, or back (autoscaler_handover)
                                   after:  wait for pods that the provider did not wait for (pod_readiness)
                                   error:  wait longer for pods that can still become ready
    create first routes object     before: wait until each version with weight has its declared ready pods; if
                                           routes of another name are superseded, also wait as for v3 below
    update each routes object      before: stop if a rollout has failed
                                   before: add v3: wait for its declared ready pods of the new image, then for
                                           istiod to see them, then for every proxy to acknowledge its subset
                                   before: remove v1: sample all proxies
    end of the program             `guard`: stop if a rollout has failed
                                   delete superseded routes; wait until no proxy uses them
                                   v1: wait until every proxy has acknowledged the routes, then for `drain`
    delete subset of v1, its pods  -

The program itself waits for v1, and not a hook after the routes: if such a hook fails, the engine only warns
and continues to delete.
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import pulumi

from components.model.service import Service
from components.model.stack import Stack
from components.rollout.active_versions import active_versions
from components.rollout.autoscaler_handover import AutoscalerHandover
from components.rollout.hooks import is_outside_engine
from components.rollout.istiod import IstiodUnavailable, Sample
from components.rollout.kubectl import KubectlError, KubectlTimeout
from components.rollout.live_objects import Ref
from components.rollout.pod_readiness import Readiness
from components.rollout.proxy_status import HandoverError, ProxyStatus
from components.rollout.proxy_sync import ROUTES, SUBSETS
from components.rollout.update import Update
from components.schema.durations import seconds


@dataclass(kw_only=True)
class _Progress:
    """The state that the hooks of one update share."""

    before_subsets: asyncio.Future[Sample] | None = None
    """The proxies before the first new subset; None if the update creates none."""
    additions: dict[tuple[str, ...], asyncio.Future[None]] = field(default_factory=dict)
    """The wait for added versions, shared by all routes objects."""
    before_routes: list[Sample] = field(default_factory=list)
    """The proxies before each routes object that stops sending requests to a removed version."""
    removed: set[str] = field(default_factory=set)
    """The removed versions."""
    superseded: list[Ref] = field(default_factory=list)
    """Routes and Gateways of another name, which the first routes object replaces."""


class Handover:
    """The hooks around the objects that decide which version of one service gets requests."""

    def __init__(self, service: Service, stack: Stack, update: Update) -> None:
        self._service, self._update = service, update
        self._drain = float(seconds(stack.handover.drain) or 0)
        self._readiness = {
            version: Readiness(service, version, stack, update.hooks) for version in service.versions
        }
        self._replicas = {
            version: AutoscalerHandover(service, version, stack, update.hooks) for version in service.versions
        }
        self._proxies = ProxyStatus(service, stack, update.mesh)
        self._progress = _Progress()

    def of_pods(self, version: str) -> pulumi.ResourceHookBinding | None:
        """Return the hooks of a version's Deployment."""
        if is_outside_engine():
            return None
        readiness = self._readiness[version]
        return pulumi.ResourceHookBinding(
            before_update=[self._replicas[version].hook],
            after_update=[readiness.after_update],
            on_error=[readiness.on_error],
        )

    def of_subset(self, version: str) -> pulumi.ResourceHookBinding | None:
        """Return the hooks of a version's DestinationRule or Service, which is named like its Deployment."""
        if is_outside_engine():
            return None
        name = self._service.workload(version)
        created = self._update.hooks.of("before-subset-create", name, self._before_subset_create)
        return pulumi.ResourceHookBinding(before_create=[created])

    def of_routes(self, name: str, *, first: bool = True) -> pulumi.ResourceHookBinding | None:
        """Return the hooks of a routes object.

        Args:
            name: the resource's name.
            first: whether no client reaches the service without this object. Then its creation cannot lose
                requests and does not wait for the proxies. Before another one is created, callers use the
                Kubernetes Service.
        """
        if is_outside_engine():
            return None
        hooks = self._update.hooks
        change = hooks.of("before-routes-update", name, self._before_routes_update)
        create = hooks.of("before-routes-create", name, self._before_routes_create) if first else change
        return pulumi.ResourceHookBinding(before_create=[create], before_update=[change])

    def guard(self, *routes: pulumi.CustomResource) -> None:
        """Fail the program if proxies still use a removed version: then the engine deletes nothing.

        Args:
            routes: all routes objects of the service.
        """
        if is_outside_engine():
            return
        _: pulumi.Output[None] = pulumi.Output.all(*(each.id for each in routes)).apply(self._release)

    async def _before_subset_create(self, _args: pulumi.ResourceHookArgs) -> None:
        # The engine creates several subsets at once; the sample must precede all of them.
        if self._progress.before_subsets is None:
            self._progress.before_subsets = asyncio.ensure_future(self._proxies.sample())
        await self._progress.before_subsets

    async def _before_routes_create(self, args: pulumi.ResourceHookArgs) -> None:
        versions = sorted(self._active(args.new_inputs))
        hosts = self._service.hosts if self._service.outside else ()
        self._progress.superseded = await self._update.superseded_routes.of(hosts)
        if self._progress.superseded:
            await self._add(versions)
            return
        try:
            await self._wait_for_pods(versions)
        except IstiodUnavailable as error:
            pulumi.log.debug(str(error))

    async def _before_routes_update(self, args: pulumi.ResourceHookArgs) -> None:
        self._check_rollouts()
        old, new = self._active(args.old_inputs), self._active(args.new_inputs)
        if added := tuple(sorted(new - old)):
            additions = self._progress.additions
            additions[added] = additions.get(added) or asyncio.ensure_future(self._add(added))
            await additions[added]
        if removed := old - self._service.versions.keys():
            self._progress.removed |= removed
            self._progress.before_routes.append(await self._proxies.sample())

    async def _release(self, _ids: object) -> None:
        """Wait until no proxy uses the versions that the engine deletes after the program.

        Versions that are not removed by this update lost their requests in an earlier one, which was
        interrupted before the state was refreshed.
        """
        self._check_rollouts()
        if pulumi.runtime.is_dry_run():
            return
        progress = self._progress
        if progress.superseded:
            await self._delete_superseded(progress.superseded)
        if progress.removed:
            await self._remove(progress.removed, progress.before_routes)
            await asyncio.sleep(self._drain)
        live = await self._update.live_state.of(self._service.app)
        if removed := live.versions - self._service.versions.keys() - progress.removed:
            await self._remove(removed, [await self._proxies.sample() if live.recent else None])
            await asyncio.sleep(self._drain if live.recent else 0)

    def _check_rollouts(self) -> None:
        """Raise the failure of a hook after a Deployment's update, of which the engine only warns."""
        for readiness in self._readiness.values():
            if readiness.failure:
                raise HandoverError(f"{self._service.app.name}: {readiness.failure}")

    async def _delete_superseded(self, routes: Sequence[Ref]) -> None:
        """Delete routes of another name before the engine does, and wait until no proxy uses them."""
        names = ", ".join(map(str, routes))
        pulumi.log.info(f"waiting until no proxy uses {names}")
        before = await self._proxies.sample()
        try:
            await self._update.superseded_routes.delete(routes)
        except KubectlError as error:
            raise HandoverError(
                f"{self._service.app.name}: kubectl cannot delete {names}, which must be deleted before the "
                f"pods behind it: {error}. Grant kubectl the permission, then `pulumi up`"
            ) from error
        consequence = "the pods behind the superseded routes are not deleted"
        await self._proxies.wait_until_synced(before, ROUTES, consequence)
        await asyncio.sleep(self._drain)

    async def _remove(self, versions: Collection[str], before: Collection[Sample | None]) -> None:
        """Wait until no proxy sends requests to the versions."""
        pulumi.log.info(f"waiting until no proxy sends requests to {_listed(versions)}")
        consequence = f"subset and pods of {_listed(versions)} are not deleted"
        await asyncio.gather(*(self._proxies.wait_until_synced(each, ROUTES, consequence) for each in before))

    async def _add(self, versions: Collection[str]) -> None:
        """Wait until every proxy can send requests to ready pods of the versions."""
        pulumi.log.info(f"waiting until every proxy can reach the pods of {_listed(versions)}")
        before = self._progress.before_subsets
        try:
            self._proxies.connect()
            await self._wait_for_pods(versions)
            await self._proxies.wait_for_endpoints(versions)
        except IstiodUnavailable as error:
            await self._proxies.pause(error)
        else:
            consequence = f"{_listed(versions)} gets no requests"
            await self._proxies.wait_until_synced(await before if before else None, SUBSETS, consequence)

    async def _wait_for_pods(self, versions: Collection[str]) -> None:
        """Wait until each version has its declared number of ready pods, and none of an earlier image.

        Raises:
            HandoverError: the pods do not become ready, or the API server does not answer.
            IstiodUnavailable: kubectl cannot read the pods.
        """
        for version in versions:
            try:
                if why := await self._readiness[version].shortage():
                    raise HandoverError(f"{self._service.app.name}: {why}")
            except KubectlTimeout as error:
                why = f"{version} gets no requests, because the state of its pods is unknown: {error}"
                raise HandoverError(f"{self._service.app.name}: {why}; then `pulumi up`") from error
            except KubectlError as error:
                raise IstiodUnavailable(str(error)) from error

    def _active(self, inputs: object) -> frozenset[str]:
        spec = inputs.get("spec") if isinstance(inputs, dict) else None
        return active_versions(spec or {}, self._service)


def _listed(versions: Collection[str]) -> str:
    return " and ".join(sorted(versions))
