"""Traffic passes from version to version, and no request is lost: what the engine waits for, as hooks."""

import asyncio
import time
from collections.abc import Collection
from typing import Final

import pulumi

from components import workload
from components.expressions import seconds
from components.hooks import nobody_calls
from components.istiod import Istiod, Look, UnaskedError
from components.kubectl import KubectlError
from components.model.service import Service
from components.model.stack import Stack
from components.readiness import Readiness
from components.serving import serving
from components.settling import (
    GATHERING_SECONDS,
    PAUSE_SECONDS,
    ROUTES,
    SUBSETS,
    UnsettledError,
    settled,
)

LAGGING: Final = (
    "`istioctl proxy-status` shows proxies that lag behind: mend or delete them, then `pulumi up`"
)


class HandoverError(pulumi.RunError):
    """An update that stops before a version gets its first request, or before one loses its pods."""


class Handover:
    """Waits around the object that divides the traffic of one service."""

    def __init__(self, service: Service, stack: Stack) -> None:
        self._service, self._namespace, self._api = service, stack.namespace.name, stack.api
        self._limit = float(seconds(stack.handover.limit) or 0)
        self._drain = float(seconds(stack.handover.drain) or 0)
        self._readiness = {version: Readiness(service, version, stack) for version in service.versions}
        self._istiod = Istiod(context=stack.cluster.context, namespace=stack.handover.control_plane)
        self._before_subsets: Look | None = None
        self._before_routes: Look | None = None
        self._failure: HandoverError | None = None

    @property
    def of_subset(self) -> pulumi.ResourceHookBinding | None:
        """For what a route needs to send requests to a version."""
        if nobody_calls():
            return None
        return pulumi.ResourceHookBinding(before_create=[self._subset_comes])

    @property
    def of_routes(self) -> pulumi.ResourceHookBinding | None:
        """For the routes. While they are made for the first time there is no request to lose."""
        if nobody_calls():
            return None
        return pulumi.ResourceHookBinding(
            before_update=[self._routes_change], after_update=[self._routes_changed]
        )

    def guard(self, routes: pulumi.CustomResource) -> None:
        """End the program where proxies have not let go of a version: then the engine deletes nothing.

        A hook that fails after an update would only warn.
        """
        routes.id.apply(self._tell)

    async def _subset_comes(self, _args: pulumi.ResourceHookArgs) -> None:
        # Of several new subsets the earliest look counts.
        self._before_subsets = self._before_subsets or await self._look()

    async def _routes_change(self, args: pulumi.ResourceHookArgs) -> None:
        old, new = self._serving(args.old_inputs), self._serving(args.new_inputs)
        if arriving := new - old:
            await self._arrive(sorted(arriving))
        self._before_routes = await self._look() if self._leaving(args) else None

    async def _routes_changed(self, args: pulumi.ResourceHookArgs) -> None:
        leaving = self._leaving(args)
        if not leaving:
            return
        pulumi.log.info(f"waiting until no proxy sends requests to {_listed(leaving)}")
        try:
            await self._proxies_take(self._before_routes, ROUTES)
        except UnsettledError as late:
            self._failure = HandoverError(
                f"{self._service.app.name}: {_listed(leaving)} keeps subset and pods, because after "
                f"{self._limit:g} s these proxies have not taken the new routes: {late}. {LAGGING}"
            )
            return
        await asyncio.sleep(self._drain)

    async def _arrive(self, versions: Collection[str]) -> None:
        """Wait until a request to the versions would be answered, whichever proxy it comes to."""
        pulumi.log.info(f"waiting until every proxy knows the pods of {_listed(versions)}")
        try:
            await self._pods_are_new(versions)
            await self._pods_are_known(versions)
            await self._proxies_take(self._before_subsets, SUBSETS)
        except UnaskedError as error:
            await self._pause(error)
        except UnsettledError as late:
            raise HandoverError(
                f"{self._service.app.name}: {_listed(versions)} gets no request, because after "
                f"{self._limit:g} s these proxies have not taken its subset: {late}. {LAGGING}"
            ) from late

    async def _pods_are_new(self, versions: Collection[str]) -> None:
        """Wait until none of a version's pods is of an image that it had before."""
        for version in versions:
            try:
                if said := await self._readiness[version].complaint():
                    raise HandoverError(f"{self._service.app.name}: {said}")
            except KubectlError as error:
                raise UnaskedError(str(error)) from error

    async def _pods_are_known(self, versions: Collection[str]) -> None:
        ends = time.monotonic() + self._limit
        for version in versions:
            labels = workload.selector(self._service.app, version)
            # A route of the Gateway API leads to a Service of the version's own.
            name = self._service.app.name if self._api == "istio" else self._service.workload(version)
            while not await self._istiod.knows_pods(f"{name}.{self._namespace}.svc", labels):
                if time.monotonic() > ends:
                    chosen = ",".join(f"{key}={value}" for key, value in labels.items())
                    raise HandoverError(
                        f"{self._service.app.name}: {version} gets no request, because istiod knows no "
                        f"ready pod of it after {self._limit:g} s. See why: "
                        f"kubectl get pods --namespace {self._namespace} --selector {chosen}"
                    )
                await asyncio.sleep(PAUSE_SECONDS)

    async def _proxies_take(self, before: Look | None, kinds: tuple[str, ...]) -> None:
        try:
            stuck = await settled(self._istiod.proxies, before, kinds, self._limit)
        except UnaskedError as error:
            await self._pause(error)
        else:
            if stuck:
                pulumi.log.warn(f"not waited for, since they were late before: {', '.join(sorted(stuck))}")

    async def _look(self) -> Look:
        try:
            return await self._istiod.proxies()
        except UnaskedError:
            # Whoever waits for the proxies will say so; of proxies never seen before none counts as newer.
            return {}

    async def _pause(self, why: UnaskedError) -> None:
        """Do without istiod's word: it has sent everything after the longest time that it gathers changes."""
        pulumi.log.warn(
            f"istiod could not be asked whether every proxy has taken the change, so this waits "
            f"{GATHERING_SECONDS} s: {why}. It is asked in the namespace that mesh-app:handover.controlPlane "
            "names, with the right to `kubectl exec` there"
        )
        await asyncio.sleep(GATHERING_SECONDS)

    def _leaving(self, args: pulumi.ResourceHookArgs) -> list[str]:
        """Name the versions that had requests and are deleted at the end of this update."""
        return sorted(self._serving(args.old_inputs) - self._service.versions.keys())

    def _serving(self, inputs: object) -> frozenset[str]:
        spec = inputs.get("spec") if isinstance(inputs, dict) else None
        return serving(spec or {}, self._service)

    def _tell(self, _: object) -> None:
        if self._failure is not None:
            raise self._failure


def _listed(versions: Collection[str]) -> str:
    return " and ".join(versions)
