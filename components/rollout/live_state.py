"""Reads which versions of the stack's services exist in the cluster, independently of Pulumi's state."""

import asyncio
import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi

from components.manifests import deployment
from components.manifests.labels import OURS
from components.model.service import App
from components.model.stack import Stack
from components.rollout.kubectl import Kubectl, KubectlError

Object = Mapping[str, Any]

ROUTES: Final = {
    "istio": "virtualservices.networking.istio.io",
    "gateway-api": "httproutes.gateway.networking.k8s.io",
}

RECENT_SECONDS: Final = 60.0
"""The time after a write in which routes may not have reached every proxy.

istiod needs at most 10 s; the rest allows for different clocks of machine and cluster.
"""


@dataclass(frozen=True, kw_only=True)
class LiveVersions:
    """The live versions of one service."""

    versions: frozenset[str]
    """The versions that have a Deployment."""
    recent: bool
    """Whether its routes were written within `RECENT_SECONDS`."""


class LiveState:
    """The live Deployments and routes of the stack, read once in an update."""

    def __init__(self, stack: Stack) -> None:
        self._kubectl = Kubectl(context=stack.cluster.context, namespace=stack.namespace.name)
        self._kinds = f"deployments,{ROUTES[stack.api]}"
        self._objects: asyncio.Future[Sequence[Object]] | None = None

    async def of(self, app: App) -> LiveVersions:
        """Return the live versions of a service; none if kubectl cannot read them."""
        self._objects = self._objects or asyncio.ensure_future(self._list())
        return live_versions(await self._objects, app, dt.datetime.now(dt.UTC))

    async def without_proxy(self, but: App) -> list[str]:
        """Return the Deployments of other services without proxies; none if kubectl cannot read them."""
        self._objects = self._objects or asyncio.ensure_future(self._list())
        return without_proxy(await self._objects, but)

    async def _list(self) -> Sequence[Object]:
        chosen = ",".join(f"{key}={value}" for key, value in OURS.items())
        try:
            output = await self._kubectl(
                "get", self._kinds, f"--selector={chosen}", "--show-managed-fields", "--output=json"
            )
        except KubectlError as error:
            pulumi.log.debug(str(error))
            return []
        items: Sequence[Object] = json.loads(output)["items"]
        return items


def without_proxy(objects: Sequence[Object], but: App) -> list[str]:
    """Return the Deployments of other services whose pods were created without a proxy."""
    others = [
        each
        for each in objects
        if each["kind"] == "Deployment" and each["metadata"]["labels"].get("app") != but.name
    ]
    return sorted(each["metadata"]["name"] for each in others if not deployment.has_proxy(each["spec"]))


def live_versions(objects: Sequence[Object], app: App, now: dt.datetime) -> LiveVersions:
    """Return the live versions of a service from listed Deployments and routes."""
    own = [each for each in objects if each["metadata"]["labels"].get("app") == app.name]
    labels = [each["metadata"]["labels"] for each in own if each["kind"] == "Deployment"]
    writers = [
        writer
        for each in own
        if each["kind"] != "Deployment"
        for writer in each["metadata"].get("managedFields", ())
        if "subresource" not in writer
    ]
    written = [dt.datetime.fromisoformat(writer["time"]) for writer in writers if "time" in writer]
    return LiveVersions(
        versions=frozenset(each["version"] for each in labels if "version" in each),
        recent=any(abs((now - each).total_seconds()) < RECENT_SECONDS for each in written),
    )
