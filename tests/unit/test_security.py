"""Istio's security objects, as expected in YAML beside this test, and what the rules about them let pass."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pulumi
import pytest
import yaml

from components.manifests import security
from components.model.service import App
from components.resources import mesh_security
from tests.unit.stacks import CART, GONE, SHOP, issues, several, stack

EXPECTED: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "expected/security.yaml").read_text())

USERS = {"users": {"gateway": True}}
JWT = {"issuer": "https://issuer.example.com", "jwksUri": "https://issuer.example.com/keys"}


def specs(**changes: object) -> dict[str, Any]:
    read = stack(**changes)
    return security.specs(read.services[0], read.ingress)


def test_the_meshs_own_rules_hold_where_the_stack_file_says_nothing() -> None:
    """No object is made, not even one that says the same."""
    assert specs() == {}


def test_a_mode_is_about_the_services_own_pods() -> None:
    """Other services of the namespace keep theirs."""
    assert specs(security={"mtls": "STRICT"}) == EXPECTED["mode"]


def test_callers_are_any_of_those_named_and_their_calls_all_that_is_named() -> None:
    """All names of an entry stand in one policy: a second one could not be made at the same moment."""
    allow = {
        "monitoring": {
            "namespaces": ["monitoring"],
            "serviceAccounts": ["shop/orders"],
            "methods": ["GET"],
            "paths": ["/hello", "/api/*"],
        },
        "public": {"paths": ["/public/*"]},
        "users": {"gateway": True},
    }
    assert specs(security={"allow": allow}) == EXPECTED["callers"]


def test_paths_for_anybody_are_open_beside_a_required_token() -> None:
    """Paths without callers need no token; what names callers, or every path, does; `token` says it too."""
    allow = {
        "a-users": {"gateway": True},
        "b-public": {"methods": ["GET"], "paths": ["/hello"]},
        "c-every-path": {"paths": ["/*"]},
        "d-methods": {"methods": ["GET"]},
        "e-login": {"gateway": True, "paths": ["/login"], "token": False},
        "f-limited": {"paths": ["/api/*"], "token": True},
    }
    policy = specs(security={"allow": allow, "jwt": JWT})["AuthorizationPolicy"]
    assert ["when" in rule for rule in policy["rules"]] == [True, False, True, True, False, True]
    policy = specs(security={"allow": allow, "jwt": {**JWT, "required": False}})["AuthorizationPolicy"]
    assert ["when" in rule for rule in policy["rules"]] == [False, False, False, False, False, True]


def test_a_required_token_is_asked_of_everybody() -> None:
    """Istio by itself only refuses tokens that do not hold."""
    assert specs(security={"jwt": {**JWT, "audiences": ["shop"]}}) == EXPECTED["tokens"]


def test_a_required_token_is_asked_of_each_caller() -> None:
    """Two policies would each let in what the other refuses. The gateway's account is as the stack says."""
    changes: dict[str, Any] = {"ingress__serviceAccount": "edge", "security": {"allow": USERS, "jwt": JWT}}
    assert specs(**changes) == EXPECTED["tokens of users"]


def test_a_token_can_be_left_to_the_caller() -> None:
    """One that is there has to hold all the same."""
    jwt = {**JWT, "required": False, "forward": False}
    assert specs(security={"jwt": jwt}) == EXPECTED["tokens at will"]


def test_objects_are_made_in_the_order_in_which_nobody_is_refused_by_mistake() -> None:
    """A proxy that asks for a token before it can read one would refuse them all."""
    kinds = list(specs(security={"mtls": "STRICT", "allow": USERS, "jwt": JWT}))
    assert kinds == ["PeerAuthentication", "RequestAuthentication", "AuthorizationPolicy"]


@pytest.mark.parametrize(
    "entry",
    [
        {"gateway": True, "methods": ["GET"]},
        {"namespaces": ["shop", "istio-system"]},
        {"serviceAccounts": ["istio-system/istio-ingressgateway"]},
        {"serviceAccounts": ["istio-system/istio-ingressgateway-service-account"]},
        {"paths": ["/hello"]},
    ],
)
def test_the_gateway_is_let_in_by_whatever_names_it(entry: dict[str, Any]) -> None:
    """By its shorthand, its namespace, either of its accounts, or where anybody may come."""
    assert not issues(security={"allow": {"other": {"namespaces": ["shop"]}, "users": entry}})


def test_a_service_of_the_mesh_alone_needs_no_gateway_among_its_callers() -> None:
    """Nobody comes from outside."""
    changes = {"mesh": "only", "gateway": GONE, "ingress__extraPorts": GONE}
    assert not issues(**changes, security={"allow": {"orders": {"namespaces": ["shop"]}}})


@pytest.mark.parametrize(
    "changes",
    [
        {"namespace__injection": {"revision": "canary"}},
        {"namespace__injection": "manual", "versions__v1__sidecar": True, "versions__v2__sidecar": True},
        {"namespace__injection": "ambient", "mesh": False},
    ],
)
def test_whatever_gives_every_pod_a_proxy_enforces_callers(changes: dict[str, Any]) -> None:
    """By revision, by hand, or on the node: that one knows callers, if no requests."""
    allow = {"all": {"namespaces": ["shop"], "serviceAccounts": ["a/b"], "gateway": True}}
    assert not issues(**changes, security={"mtls": "STRICT", "allow": allow})


def test_each_of_several_services_has_its_own() -> None:
    """A fault names the service, and another's list of callers closes nothing."""
    (fault,) = issues(
        **several(shop=SHOP, cart={**CART, "security": {"allow": {"a": {"namespaces": ["b"]}}}})
    )
    assert (fault.code, str(fault.path)) == ("MESH161", "mesh-app:services.cart.security.allow")
    read = stack(**several(shop=SHOP, cart={**CART, "security": {"mtls": "STRICT"}}))
    made = {service.app.name: list(security.specs(service, read.ingress)) for service in read.services}
    assert made == {"shop": [], "cart": ["PeerAuthentication"]}


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ({"mtls": "STRICT", "allow": USERS}, "PeerAuthentication"),
        ({"mtls": "PERMISSIVE", "allow": USERS}, "AuthorizationPolicy"),
        ({"allow": {"public": {"paths": ["/api/*"]}, **USERS}}, "AuthorizationPolicy"),
        ({"mtls": "PERMISSIVE"}, None),
        ({"jwt": JWT}, None),
    ],
)
def test_the_policy_that_refuses_callers_without_a_certificate(written: object, kind: str | None) -> None:
    """Before it is made, a warning names the callers that have none."""
    assert security.refuses_plain_text(stack(security=written).services[0]) == kind


def test_callers_that_will_be_refused_are_named_beforehand(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the preview too: once for the service, with the two steps that lose no request."""
    monkeypatch.setattr(mesh_security, "is_outside_engine", lambda: False)
    monkeypatch.setattr(pulumi, "ResourceHookBinding", lambda before_create: before_create)
    told: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", told.append)
    bound: dict[str, Any] = {}

    def bind(kind: str, resource: str, function: Any, *, on_dry_run: bool) -> None:  # noqa: ANN401
        bound[f"{kind} {resource} {on_dry_run}"] = function

    async def callers(_: App) -> list[str]:
        return ["friend-v1", "friend-v2"]

    live_state = SimpleNamespace(without_proxy=callers)
    update: Any = SimpleNamespace(live_state=live_state, hooks=SimpleNamespace(of=bind))
    mesh_security._warning(stack().services[0].app, update)  # noqa: SLF001 (the engine calls it)
    asyncio.run(bound["before-policy-create springbootapp True"](None))
    (said,) = told
    assert "the pods of friend-v1, friend-v2 run without a proxy" in said
    assert "`pulumi up` with injection enabled, then" in said
