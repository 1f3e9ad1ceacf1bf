"""Routes and Gateways of this stack that the update deletes, while others of it answer the same hosts.

That is so after another name or namespace of an app, or with another API. The engine deletes them last, and
in the same moment all that they lead to: proxies that follow a little later have routes to nothing (measured:
5 of 73,087 requests lost). So they go before that, and the proxies are waited for.
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
"""Of each API, which a cluster may not serve."""

Manifest = Mapping[str, Any]


class SupersededRoutes:
    """One stack's, in one run of the program."""

    def __init__(self, stack: Stack, ownership: Ownership) -> None:
        self._ownership, self._is_protected = ownership, stack.protected
        self._kubectl = Kubectl(context=stack.cluster.context)

    async def of(self, hosts: Sequence[str]) -> list[Ref]:
        """List those of some hosts, in the order in which they go; what is protected stays."""
        if self._is_protected or not hosts:
            return []
        listed = [await self._list(kinds) for kinds in KINDS]
        return predecessors(list(chain(*listed)), self._ownership.declared, hosts)

    async def remove(self, refs: Sequence[Ref]) -> None:
        """Delete them, as the engine does later, which finds them gone.

        Raises:
            KubectlError: kubectl may not.
        """
        items = json.dumps({"apiVersion": "v1", "kind": "List", "items": [each.manifest for each in refs]})
        await self._kubectl("delete", "--filename=-", "--ignore-not-found", "--wait=false", given=items)

    async def _list(self, kinds: str) -> list[Manifest]:
        chosen = f"--selector={LABEL}={identity(pulumi.get_project(), pulumi.get_stack())}"
        try:
            said = await self._kubectl("get", kinds, "--all-namespaces", chosen, "--output=json")
        except KubectlError as error:
            # The API is not served, or may not be listed everywhere: then the engine's own order holds.
            pulumi.log.debug(str(error))
            return []
        items: list[Manifest] = json.loads(said)["items"]
        return items


def predecessors(objects: Iterable[Manifest], declared: frozenset[Ref], hosts: Sequence[str]) -> list[Ref]:
    """Choose the Gateways, then the routes, that answer one of the hosts and are declared no more.

    A Gateway goes first: while it has the listener, and its routes are gone, it answers 404. With the routes
    of an app go those that its callers in the mesh have of their own.
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
    # Callers in the mesh know an app by its own name, which nothing else answers.
    return () if _is_of_the_mesh(of) else spec["hosts"]


def _meet(one: str, other: str) -> bool:
    return one == other or covers(one, other) or covers(other, one)
