"""Routes of another name that lose their requests: which they are, and when they go."""

import asyncio
from typing import Any

import pytest

from components.rollout.kubectl import KubectlError
from components.rollout.live_objects import Ref
from components.rollout.ownership import Ownership
from components.rollout.superseded_routes import SupersededRoutes, superseded
from tests.unit.stacks import stack

HOST = "shop.example.com"


def routes(
    name: str, *hosts: str, gateways: tuple[str, ...] = ("shop",), namespace: str = "old"
) -> dict[str, Any]:
    """A VirtualService."""
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"hosts": list(hosts), "gateways": list(gateways)},
    }


def gateway(*hosts: str) -> dict[str, Any]:
    """A Gateway of Istio's kind."""
    server = {"port": {"number": 80, "protocol": "HTTP"}, "hosts": list(hosts)}
    return {**routes("shop"), "kind": "Gateway", "spec": {"servers": [server]}}


def of_gateway_api(kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    """An object of the Gateway API."""
    return {**routes("shop"), "apiVersion": "gateway.networking.k8s.io/v1", "kind": kind, "spec": spec}


NONE: frozenset[Ref] = frozenset()


@pytest.mark.parametrize(
    "old",
    [
        routes("shop", HOST),
        routes("shop", "*.example.com", gateways=("shop", "mesh")),
        gateway("*"),
        of_gateway_api("HTTPRoute", {"hostnames": [HOST]}),
        of_gateway_api("HTTPRoute", {}),
        of_gateway_api("Gateway", {"listeners": [{"port": 80, "protocol": "HTTP", "hostname": HOST}]}),
    ],
)
def test_what_answers_the_same_hosts_goes_first(old: dict[str, Any]) -> None:
    """With either API, also where a host stands for others."""
    assert superseded([old], NONE, [HOST]) == [Ref.of(old)]


@pytest.mark.parametrize(
    "other",
    [
        routes("shop", "cart.example.com"),
        routes("shop", HOST, gateways=("mesh",)),
        routes("shop", HOST, gateways=()),
        gateway("cart.example.com"),
        of_gateway_api("HTTPRoute", {"hostnames": ["cart.example.com"]}),
    ],
)
def test_what_answers_others_is_left_to_the_engine(other: dict[str, Any]) -> None:
    """Its requests go with it."""
    assert superseded([other], NONE, [HOST]) == []


def test_what_is_declared_stays() -> None:
    """It is another service's, which shares the host."""
    assert superseded([routes("shop", HOST)], frozenset([Ref.of(routes("shop", HOST))]), [HOST]) == []


def test_the_routes_of_callers_in_the_mesh_go_with_those_of_the_app() -> None:
    """With the host `*` they are an object of their own, and lead to the same subsets."""

    def of_app(routes: dict[str, Any], app: str) -> dict[str, Any]:
        return {**routes, "metadata": {**routes["metadata"], "labels": {"app": app}}}

    outside = of_app(routes("shop", "*"), "shop")
    inside = of_app(routes("shop.mesh", "shop", gateways=("mesh",)), "shop")
    other = of_app(routes("cart.mesh", "cart", gateways=("mesh",)), "cart")
    assert superseded([other, inside, outside], NONE, ["*"]) == [Ref.of(outside), Ref.of(inside)]


def test_a_gateway_goes_before_its_routes() -> None:
    """While it has the listener, and its routes are gone, it would answer 404."""
    found = superseded([routes("shop", HOST), gateway(HOST)], NONE, [HOST])
    assert [each.kind for each in found] == ["Gateway", "VirtualService"]


def test_only_objects_of_this_stack_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """By its label; and what may not be listed is left to the engine, as are protected ones."""
    asked: list[tuple[str, ...]] = []

    async def refuse(_: object, *words: str, given: str = "") -> str:
        asked.append(words)
        raise KubectlError(f"forbidden{given}")

    declared = stack()
    found = SupersededRoutes(declared, Ownership(declared))
    monkeypatch.setattr(type(found._kubectl), "__call__", refuse)  # noqa: SLF001
    assert asyncio.run(found.of([HOST])) == []
    assert [words[3].startswith("--selector=mesh-app/stack=") for words in asked] == [True, True]
    protected = stack(protected=True)
    assert asyncio.run(SupersededRoutes(protected, Ownership(protected)).of([HOST])) == []
    assert len(asked) == 2
