"""Security as the engine is told of it: what is made, where, and after what."""

import pytest

from tests.program.recorder import run
from tests.unit.stacks import CART, SHOP, several, with_changes

SECURITY = {
    "mtls": "STRICT",
    "allow": {"users": {"gateway": True}},
    "jwt": {"issuer": "https://issuer.example.com", "jwksUri": "https://issuer.example.com/keys"},
}
KINDS = ("PeerAuthentication", "RequestAuthentication", "AuthorizationPolicy")
POLICIES = [f"{kind} springbootapp" for kind in KINDS]
ROUTES = {"istio": "VirtualService", "gateway-api": "HTTPRoute"}


def test_security_adds_its_policies_and_changes_nothing_else() -> None:
    """Preview shows what is switched on. The pods stay as they are."""
    before, after = run(with_changes()), run(with_changes(security=SECURITY))
    assert after.keys() - before.keys() == {"MeshSecurity springbootapp", *POLICIES}
    assert not [each.key for each in before.resources if after[each.key].inputs != each.inputs]


@pytest.mark.parametrize("api", ["istio", "gateway-api"])
def test_no_pod_is_made_before_the_policies(api: str) -> None:
    """A new stack is never open to everybody, not for a moment, also where a version never becomes ready.

    Pulumi creates a resource after all that it depends on, and deletes it before them: on `destroy`, and when
    a service leaves the stack, the policies go after the pods.
    """
    services = several(shop={**SHOP, "security": SECURITY}, cart={**CART, "security": SECURITY})
    ran = run(with_changes(api=api, **services))
    deployments = [each for each in ran.resources if each.type.endswith(":Deployment")]
    assert {each.name for each in deployments} == {"cart-blue", "cart-green", "shop-v1", "shop-v2"}
    for deployment in deployments:
        app = deployment.inputs["spec"]["selector"]["matchLabels"]["app"]
        policies = {ran[f"{kind} {app}"].urn for kind in KINDS}
        assert policies <= deployment.dependencies
        assert {f"{kind} {app}" for kind in KINDS} <= ran.waits_for(f"{ROUTES[api]} {app}")


def test_each_policy_waits_for_the_policy_before_it_alone() -> None:
    """Tokens are understood before a request is refused for the lack of one; no pod is waited for."""
    ran = run(with_changes(security=SECURITY))
    for nth, policy in enumerate(POLICIES):
        waits_for = ran.waits_for(policy)
        assert set(POLICIES[:nth]) <= waits_for
        assert not [each for each in waits_for if each.split()[0] in ("Deployment", "Service")]


def test_policies_are_the_stacks_own() -> None:
    """In its namespace, at the version that stays, owned whole like all of Istio's objects."""
    ran = run(with_changes(security=SECURITY))
    for policy in POLICIES:
        assert ran[policy].type == f"kubernetes:security.istio.io/v1:{policy.split()[0]}"
        metadata = ran[policy].inputs["metadata"]
        assert metadata["namespace"] == "springistiodemo"
        assert metadata["annotations"] == {"pulumi.com/patchForce": "true"}
        assert metadata["labels"] == ran["VirtualService springbootapp"].inputs["metadata"]["labels"]
