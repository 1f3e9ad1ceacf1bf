"""Security as the engine is told of it: what is made, where, and after what."""

from tests.program.recorder import run
from tests.unit.stacks import with_changes

SECURITY = {
    "mtls": "STRICT",
    "allow": {"users": {"gateway": True}},
    "jwt": {"issuer": "https://issuer.example.com", "jwksUri": "https://issuer.example.com/keys"},
}
POLICIES = [
    f"{kind} springbootapp" for kind in ("PeerAuthentication", "RequestAuthentication", "AuthorizationPolicy")
]


def test_security_adds_its_policies_and_changes_nothing_else() -> None:
    """Preview shows what is switched on. The pods stay as they are."""
    before, after = run(with_changes()), run(with_changes(security=SECURITY))
    assert after.keys() - before.keys() == {"MeshSecurity springbootapp", *POLICIES}
    assert not [each.key for each in before.resources if after[each.key].inputs != each.inputs]


def test_each_policy_waits_for_the_pods_and_for_the_policy_before_it() -> None:
    """A mode that asks for certificates comes after the proxies that have them, callers after tokens."""
    ran = run(with_changes(security=SECURITY))
    for nth, policy in enumerate(POLICIES):
        wanted = {"Deployment springbootapp-v1", "Deployment springbootapp-v2", *POLICIES[:nth]}
        assert wanted <= ran.waits_for(policy)


def test_the_first_route_opens_behind_the_policies() -> None:
    """A new stack is never open to everybody, not for a moment."""
    assert set(POLICIES) <= run(with_changes(security=SECURITY)).waits_for("VirtualService springbootapp")


def test_policies_are_the_stacks_own() -> None:
    """In its namespace, at the version that stays, owned whole like all of Istio's objects."""
    ran = run(with_changes(security=SECURITY))
    for policy in POLICIES:
        assert ran[policy].type == f"kubernetes:security.istio.io/v1:{policy.split()[0]}"
        metadata = ran[policy].inputs["metadata"]
        assert metadata["namespace"] == "springistiodemo"
        assert metadata["annotations"] == {"pulumi.com/patchForce": "true"}
        assert metadata["labels"] == ran["VirtualService springbootapp"].inputs["metadata"]["labels"]
