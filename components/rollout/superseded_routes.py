"""Routes and Gateways that an update deletes, while new ones of the stack serve the same hosts.

This happens when an app gets another name or namespace, or with another API. The engine deletes them last,
together with the pods behind them, and proxies that update a moment later still have the old routes
(measured: 5 of 73,087 requests lost). So they are deleted earlier, and the update waits for the proxies.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, Final

import pulumi

from components.model.gateway import covers
from components.model.stack import Stack
from components.model.stack_identity import LABEL, identity
from components.rollout.kubectl import Kubectl, KubectlError
from components.rollout.live_objects import Ref
from components.rollout.ownership import Ownership
from components.rollout.request_loss import addresses

KINDS: Final = (
    "gateways.networking.istio.io,virtualservices.networking.istio.io",
    "gateways.gateway.networking.k8s.io,httproutes.gateway.networking.k8s.io",
)
"""The kinds of each API; a cluster may serve only one of the two."""

Manifest = Mapping[str, Any]


class SupersededRoutes:
    """The superseded routes of a stack, in one run of the program."""

    def __init__(self, stack: Stack, ownership: Ownership) -> None:
        self._ownership, self._is_protected = ownership, stack.protected
        self._kubectl = Kubectl(context=stack.cluster.context)

    async def of(self, hosts: Sequence[str]) -> list[Ref]:
        """List those of some hosts in the order of their deletion; none if the stack is protected."""
        if self._is_protected or not hosts:
            return []
        listed = [await self._list(kinds) for kinds in KINDS]
        return superseded(list(chain(*listed)), self._ownership.declared, hosts)

    async def delete(self, refs: Sequence[Ref]) -> None:
        """Delete them before the engine does.

        Raises:
            KubectlError: kubectl failed, for example without permission.
        """
        items = json.dumps({"apiVersion": "v1", "kind": "List", "items": [each.manifest for each in refs]})
        await self._kubectl("delete", "--filename=-", "--ignore-not-found", "--wait=false", given=items)

    async def _list(self, kinds: str) -> list[Manifest]:
        chosen = f"--selector={LABEL}={identity(pulumi.get_project(), pulumi.get_stack())}"
        try:
            output = await self._kubectl("get", kinds, "--all-namespaces", chosen, "--output=json")
        except KubectlError as error:
            # The API is not served, or may not be listed in all namespaces: then the engine deletes them.
            pulumi.log.debug(str(error))
            return []
        items: list[Manifest] = json.loads(output)["items"]
        return items


def superseded(objects: Iterable[Manifest], declared: frozenset[Ref], hosts: Sequence[str]) -> list[Ref]:
    """Select the Gateways, then the routes, that serve one of the hosts and are no longer declared.

    Gateways come first: a listener without its routes answers 404. The routes of an app include those for
    callers in the mesh alone.
    """
    undeclared = [each for each in objects if Ref.of(each) not in declared]
    found = [each for each in undeclared if any(_meet(one, other) for one in _hosts(each) for other in hosts)]
    apps = [_app(each) for each in found if each["kind"] == "VirtualService"]
    found += [each for each in undeclared if _is_of_the_mesh(each) and _app(each) in apps]
    return sorted(map(Ref.of, found), key=lambda each: each.kind != "Gateway")


def _app(of: Manifest) -> tuple[str, str]:
    return of["metadata"]["namespace"], of["metadata"].get("labels", {}).get("app", "")


def _is_of_the_mesh(of: Manifest) -> bool:
    return of["kind"] == "VirtualService" and set(of["spec"].get("gateways") or ["mesh"]) == {"mesh"}


def _hosts(of: Manifest) -> Iterable[str]:
    spec: dict[str, Any] = of["spec"]
    if of["kind"] == "Gateway":
        return {each.host for each in addresses(spec)}
    if of["kind"] == "HTTPRoute":
        return spec.get("hostnames") or ["*"]
    # Callers in the mesh use the app's own name, which no other routes serve.
    return () if _is_of_the_mesh(of) else spec["hosts"]


def _meet(one: str, other: str) -> bool:
    return one == other or covers(one, other) or covers(other, one)
