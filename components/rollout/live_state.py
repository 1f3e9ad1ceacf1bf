"""What of a stack's services stands in the cluster, whatever Pulumi's state remembers of it."""

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
"""Routes that were written no longer ago may still be on their way to a proxy.

istiod needs 10 s at most; the rest is for clocks of machine and cluster that differ.
"""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What stands of one service."""

    versions: frozenset[str]
    """Those that have a Deployment."""
    recent: bool
    """Whether its routes were written just now."""


class LiveState:
    """Looked at once in an update, for all services of the stack."""

    def __init__(self, stack: Stack) -> None:
        self._kubectl = Kubectl(context=stack.cluster.context, namespace=stack.namespace.name)
        self._kinds = f"deployments,{ROUTES[stack.api]}"
        self._asked: asyncio.Future[Sequence[Object]] | None = None

    async def of(self, app: App) -> Found:
        """Look at one service; nothing of it stands where nobody here can see it."""
        self._asked = self._asked or asyncio.ensure_future(self._ask())
        return found(await self._asked, app, dt.datetime.now(dt.UTC))

    async def without_proxy(self, but: App) -> list[str]:
        """Name the Deployments of other services whose pods have no proxy, where they can be seen."""
        self._asked = self._asked or asyncio.ensure_future(self._ask())
        return without_proxy(await self._asked, but)

    async def _ask(self) -> Sequence[Object]:
        chosen = ",".join(f"{key}={value}" for key, value in OURS.items())
        try:
            said = await self._kubectl(
                "get", self._kinds, f"--selector={chosen}", "--show-managed-fields", "--output=json"
            )
        except KubectlError as error:
            pulumi.log.debug(str(error))
            return []
        items: Sequence[Object] = json.loads(said)["items"]
        return items


def without_proxy(objects: Sequence[Object], but: App) -> list[str]:
    """Name the Deployments of other services that the program made without a proxy."""
    others = [
        each
        for each in objects
        if each["kind"] == "Deployment" and each["metadata"]["labels"].get("app") != but.name
    ]
    return sorted(each["metadata"]["name"] for each in others if not deployment.has_proxy(each["spec"]))


def found(objects: Sequence[Object], app: App, now: dt.datetime) -> Found:
    """Read Deployments and routes as kubectl lists them."""
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
    return Found(
        versions=frozenset(each["version"] for each in labels if "version" in each),
        recent=any(abs((now - each).total_seconds()) < RECENT_SECONDS for each in written),
    )
