"""Traffic passes from version to version, and no request is lost: what the engine waits for, as hooks."""

import asyncio
from collections.abc import Collection

import pulumi

from components.expressions import seconds
from components.hooks import SharedHooks, nobody_calls
from components.istiod import Look, UnaskedError
from components.kubectl import KubectlError, SilentError
from components.model.service import Service
from components.model.stack import Stack
from components.proxies import HandoverError, Proxies
from components.readiness import Readiness
from components.serving import serving
from components.settling import ROUTES, SUBSETS
from components.standing import Standing


class Handover:
    """Waits around the objects that decide which version of one service gets requests."""

    def __init__(self, service: Service, stack: Stack, standing: Standing, hooks: SharedHooks) -> None:
        self._service, self._standing, self._hooks = service, standing, hooks
        self._drain = float(seconds(stack.handover.drain) or 0)
        self._readiness = {version: Readiness(service, version, stack, hooks) for version in service.versions}
        self._proxies = Proxies(service, stack)
        self._before_subsets: Look | None = None
        self._before_routes: Look | None = None
        self._left: frozenset[str] = frozenset()
        self._failure: HandoverError | None = None

    def of_pods(self, version: str) -> pulumi.ResourceHookBinding | None:
        """For the Deployment of a version."""
        return self._readiness[version].hooks

    def of_subset(self, version: str) -> pulumi.ResourceHookBinding | None:
        """For what a route needs to send requests to a version, under the name of its Deployment."""
        if nobody_calls():
            return None
        comes = self._hooks.of("subset-comes", self._service.workload(version), self._subset_comes)
        return pulumi.ResourceHookBinding(before_create=[comes])

    @property
    def of_routes(self) -> pulumi.ResourceHookBinding | None:
        """For the routes, under the app's name. While they are first made there is no request to lose."""
        if nobody_calls():
            return None
        name = self._service.app.name
        return pulumi.ResourceHookBinding(
            before_update=[self._hooks.of("routes-change", name, self._routes_change)],
            after_update=[self._hooks.of("routes-changed", name, self._routes_changed)],
        )

    def guard(self, routes: pulumi.CustomResource) -> None:
        """End the program where proxies have not let go of a version: then the engine deletes nothing.

        A hook that fails after an update would only warn.
        """
        if nobody_calls():
            return
        _: pulumi.Output[str] = routes.id.apply(self._let_go)

    async def _subset_comes(self, _args: pulumi.ResourceHookArgs) -> None:
        # Of several new subsets the earliest look counts.
        self._before_subsets = self._before_subsets or await self._proxies.look()

    async def _routes_change(self, args: pulumi.ResourceHookArgs) -> None:
        self._rollouts_are_good()
        old, new = self._serving(args.old_inputs), self._serving(args.new_inputs)
        if arriving := new - old:
            await self._arrive(sorted(arriving))
        self._before_routes = await self._proxies.look() if self._leaving(args) else None

    async def _routes_changed(self, args: pulumi.ResourceHookArgs) -> None:
        if not (leaving := self._leaving(args)):
            return
        self._left = frozenset(leaving)
        try:
            await self._leave(leaving, self._before_routes)
        except HandoverError as failure:
            self._failure = failure
            return
        await asyncio.sleep(self._drain)

    async def _let_go(self, routes: str) -> str:
        """Wait for versions that lost their requests before this update, whose routes do not change for it.

        That was an update that was interrupted, after which the state was refreshed; or one of just now.
        """
        self._rollouts_are_good()
        if self._failure is not None:
            raise self._failure
        if pulumi.runtime.is_dry_run():
            return routes
        found = await self._standing.of(self._service.app)
        if leaving := sorted(found.versions - self._service.versions.keys() - self._left):
            await self._leave(leaving, await self._proxies.look() if found.recent else None)
            await asyncio.sleep(self._drain if found.recent else 0)
        return routes

    def _rollouts_are_good(self) -> None:
        """Stop where a hook after the pods found them wanting: its own failure would only warn."""
        for readiness in self._readiness.values():
            if readiness.failure:
                raise HandoverError(f"{self._service.app.name}: {readiness.failure}")

    async def _leave(self, versions: Collection[str], before: Look | None) -> None:
        """Wait until no proxy sends requests to the versions."""
        pulumi.log.info(f"waiting until no proxy sends requests to {_listed(versions)}")
        await self._proxies.take(before, ROUTES, otherwise=f"{_listed(versions)} keeps subset and pods")

    async def _arrive(self, versions: Collection[str]) -> None:
        """Wait until a request to the versions would be answered, whichever proxy it comes to."""
        pulumi.log.info(f"waiting until every proxy knows the pods of {_listed(versions)}")
        try:
            await self._pods_are_new(versions)
            await self._proxies.know(versions)
        except UnaskedError as error:
            await self._proxies.pause(error)
        else:
            wanted = f"{_listed(versions)} gets no request"
            await self._proxies.take(self._before_subsets, SUBSETS, otherwise=wanted)

    async def _pods_are_new(self, versions: Collection[str]) -> None:
        """Wait until none of a version's pods is of an image that it had before."""
        for version in versions:
            try:
                if said := await self._readiness[version].complaint():
                    raise HandoverError(f"{self._service.app.name}: {said}")
            except SilentError as silent:
                said = f"{version} gets no request, because nobody can tell how its pods are: {silent}"
                raise HandoverError(f"{self._service.app.name}: {said}; then `pulumi up`") from silent
            except KubectlError as error:
                raise UnaskedError(str(error)) from error

    def _leaving(self, args: pulumi.ResourceHookArgs) -> list[str]:
        """Name the versions that had requests and are deleted at the end of this update."""
        return sorted(self._serving(args.old_inputs) - self._service.versions.keys())

    def _serving(self, inputs: object) -> frozenset[str]:
        spec = inputs.get("spec") if isinstance(inputs, dict) else None
        return serving(spec or {}, self._service)


def _listed(versions: Collection[str]) -> str:
    return " and ".join(versions)
