"""Traffic passes from version to version, and no request is lost: what the engine waits for, as hooks.

One update of one service, in the order of the engine's calls. A service may have several routes objects: a
version arrives when the first of them gives it requests, and leaves when the last of them has let it go.

    create subset of v3 ──────── before: sample the proxies, once for all new subsets
    update Deployment of v2 ──── before: the number of its pods passes to an autoscaler, or back
    create first routes object ─ before: every version with weight has as many ready pods as declared; and it
                                         arrives, as below, where routes of another name lose their requests
    update routes object, each ─ before: no rollout has failed
                                 before: v3 arrives, once for all objects: wait until its pods are of the new
                                         image and as many as declared are ready, istiod has them, every proxy
                                         has taken its subset
                                 before: v1 leaves: sample the proxies
    end of the program ───────── `guard`: no rollout has failed
                                 routes of another name: delete them, wait until no proxy uses them
                                 v1 left: wait until every proxy has taken the routes, then for `drain`
    delete subset of v1, its pods

The wait for a version that leaves belongs to the program, not to a hook after the routes: of a failure there
the engine makes a warning, and goes on to delete.
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
    """What the hooks of one update pass on to each other."""

    before_subsets: asyncio.Future[Sample] | None = None
    """The proxies before the first new subset; None: the update makes none."""
    arrivals: dict[tuple[str, ...], asyncio.Future[None]] = field(default_factory=dict)
    """The wait for versions to arrive, shared by all routes objects."""
    before_routes: list[Sample] = field(default_factory=list)
    """The proxies before each routes object let go of a version that is deleted."""
    leaving: set[str] = field(default_factory=set)
    """These versions."""
    predecessors: list[Ref] = field(default_factory=list)
    """Objects that the first routes take the requests from, and that are deleted."""


class Handover:
    """Waits around the objects that decide which version of one service gets requests."""

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
        """For the Deployment of a version."""
        if is_outside_engine():
            return None
        readiness = self._readiness[version]
        return pulumi.ResourceHookBinding(
            before_update=[self._replicas[version].hook],
            after_update=[readiness.after_update],
            on_error=[readiness.on_error],
        )

    def of_subset(self, version: str) -> pulumi.ResourceHookBinding | None:
        """For what a route needs to send requests to a version, under the name of its Deployment."""
        if is_outside_engine():
            return None
        created = self._update.hooks.of("subset-comes", self._service.workload(version), self._subset_comes)
        return pulumi.ResourceHookBinding(before_create=[created])

    def of_routes(self, name: str, *, first: bool = True) -> pulumi.ResourceHookBinding | None:
        """For a routes object under the name of its resource.

        Args:
            name: the resource's name.
            first: without this object nobody reaches the service: while it is created there is no request to
                lose, and the proxies are not waited for. Before another one is created, callers use the
                Kubernetes Service.
        """
        if is_outside_engine():
            return None
        hooks = self._update.hooks
        change = hooks.of("routes-change", name, self._routes_change)
        begin = hooks.of("routes-begin", name, self._routes_begin) if first else change
        return pulumi.ResourceHookBinding(before_create=[begin], before_update=[change])

    def guard(self, *routes: pulumi.CustomResource) -> None:
        """End the program where proxies have not let go of a version: then the engine deletes nothing.

        Args:
            routes: all routes objects of the service.
        """
        if is_outside_engine():
            return
        _: pulumi.Output[None] = pulumi.Output.all(*(each.id for each in routes)).apply(self._release)

    async def _subset_comes(self, _args: pulumi.ResourceHookArgs) -> None:
        # The engine makes several subsets at once: of all samples the earliest counts.
        if self._progress.before_subsets is None:
            self._progress.before_subsets = asyncio.ensure_future(self._proxies.sample())
        await self._progress.before_subsets

    async def _routes_begin(self, args: pulumi.ResourceHookArgs) -> None:
        versions = sorted(self._serving(args.new_inputs))
        hosts = self._service.hosts if self._service.outside else ()
        self._progress.predecessors = await self._update.predecessors.of(hosts)
        if self._progress.predecessors:
            await self._arrive(versions)
            return
        try:
            await self._pods_are_enough(versions)
        except IstiodUnavailable as error:
            pulumi.log.debug(str(error))

    async def _routes_change(self, args: pulumi.ResourceHookArgs) -> None:
        self._rollouts_are_good()
        old, new = self._serving(args.old_inputs), self._serving(args.new_inputs)
        if arriving := tuple(sorted(new - old)):
            arrivals = self._progress.arrivals
            arrivals[arriving] = arrivals.get(arriving) or asyncio.ensure_future(self._arrive(arriving))
            await arrivals[arriving]
        if leaving := old - self._service.versions.keys():
            self._progress.leaving |= leaving
            self._progress.before_routes.append(await self._proxies.sample())

    async def _release(self, _ids: object) -> None:
        """Wait for the versions that are deleted after the program.

        Others than those of this update lost their requests in an update that was interrupted, after which
        the state was refreshed.
        """
        self._rollouts_are_good()
        if pulumi.runtime.is_dry_run():
            return
        progress = self._progress
        if progress.predecessors:
            await self._succeed(progress.predecessors)
        if progress.leaving:
            await self._leave(progress.leaving, progress.before_routes)
            await asyncio.sleep(self._drain)
        found = await self._update.live_state.of(self._service.app)
        if leaving := found.versions - self._service.versions.keys() - progress.leaving:
            await self._leave(leaving, [await self._proxies.sample() if found.recent else None])
            await asyncio.sleep(self._drain if found.recent else 0)

    def _rollouts_are_good(self) -> None:
        """Stop where a hook after the pods found them wanting: its own failure would only warn."""
        for readiness in self._readiness.values():
            if readiness.failure:
                raise HandoverError(f"{self._service.app.name}: {readiness.failure}")

    async def _succeed(self, predecessors: Sequence[Ref]) -> None:
        """Delete the routes that the engine deletes later, and wait until no proxy uses them."""
        names = ", ".join(map(str, predecessors))
        pulumi.log.info(f"waiting until no proxy uses {names}")
        before = await self._proxies.sample()
        try:
            await self._update.predecessors.remove(predecessors)
        except KubectlError as error:
            raise HandoverError(
                f"{self._service.app.name}: {names} cannot be deleted before what it leads to: {error}; give "
                "kubectl the right to, then `pulumi up`"
            ) from error
        await self._proxies.take(before, ROUTES, otherwise="what was under the old name keeps its pods")
        await asyncio.sleep(self._drain)

    async def _leave(self, versions: Collection[str], before: Collection[Sample | None]) -> None:
        """Wait until no proxy sends requests to the versions."""
        pulumi.log.info(f"waiting until no proxy sends requests to {_listed(versions)}")
        otherwise = f"{_listed(versions)} keeps subset and pods"
        await asyncio.gather(*(self._proxies.take(each, ROUTES, otherwise=otherwise) for each in before))

    async def _arrive(self, versions: Collection[str]) -> None:
        """Wait until a request to the versions would be answered, whichever proxy it comes to."""
        pulumi.log.info(f"waiting until every proxy knows the pods of {_listed(versions)}")
        before = self._progress.before_subsets
        try:
            self._proxies.connect()
            await self._pods_are_enough(versions)
            await self._proxies.know(versions)
        except IstiodUnavailable as error:
            await self._proxies.pause(error)
        else:
            wanted = f"{_listed(versions)} gets no request"
            await self._proxies.take(await before if before else None, SUBSETS, otherwise=wanted)

    async def _pods_are_enough(self, versions: Collection[str]) -> None:
        """Wait until as many pods of each version are ready as declared, and none is of an earlier image.

        Raises:
            HandoverError: that is in vain, or the API server does not answer.
            IstiodUnavailable: the pods cannot be seen from here.
        """
        for version in versions:
            try:
                if said := await self._readiness[version].shortage():
                    raise HandoverError(f"{self._service.app.name}: {said}")
            except KubectlTimeout as silent:
                said = f"{version} gets no request, because nobody can tell how its pods are: {silent}"
                raise HandoverError(f"{self._service.app.name}: {said}; then `pulumi up`") from silent
            except KubectlError as error:
                raise IstiodUnavailable(str(error)) from error

    def _serving(self, inputs: object) -> frozenset[str]:
        spec = inputs.get("spec") if isinstance(inputs, dict) else None
        return active_versions(spec or {}, self._service)


def _listed(versions: Collection[str]) -> str:
    return " and ".join(sorted(versions))
