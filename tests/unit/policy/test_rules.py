"""Every rule, applied to objects in YAML (`grid/`)."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from mesh_rules.catalogue import RULES
from mesh_rules.objects import UNKNOWN, Object
from tests.unit.policy.grid import BY_NAME, Case, broken, cases, declared

CASES = cases()
every_case = pytest.mark.parametrize("case", CASES, ids=str)
A_ROOT = {
    "apiVersion": "apps/v1",
    "kind": "DaemonSet",
    "metadata": {"name": "agent", "namespace": "logging"},
    "spec": {"template": {"spec": {"securityContext": {"runAsUser": 0}, "containers": [{"name": "a"}]}}},
}
PERMISSIVE = {
    "apiVersion": "security.istio.io/v1",
    "kind": "PeerAuthentication",
    "metadata": {"name": "all", "namespace": "shop"},
    "spec": {"mtls": {"mode": "PERMISSIVE"}},
}


@every_case
def test_a_rule_finds_its_violations_and_nothing_else(case: Case) -> None:
    """Object, path and value of each."""
    assert broken(case.rule, case.manifests, case.stack) == case.breaks


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_rule_has_cases_with_and_without_violations(rule: Any) -> None:  # noqa: ANN401
    """A rule that never fails, or always fails, would pass unnoticed."""
    outcomes = {bool(case.breaks) for case in CASES if case.rule is rule}
    assert outcomes == {True, False}


@every_case
def test_what_is_not_known_yet_breaks_nothing(case: Case) -> None:
    """Whichever field of an object a preview does not know: there is no new violation."""
    for place in list(_places(case.manifests)):
        manifests = deepcopy(case.manifests)
        *way, last = place
        inner: Any = manifests
        for step in way:
            inner = inner[step]
        inner[last] = UNKNOWN
        if _later_route(case, place):
            continue
        assert len(broken(case.rule, manifests, case.stack)) <= len(case.breaks), place


def test_a_violation_has_path_value_and_fix() -> None:
    """Pulumi prints the rule's description above it."""
    (stack,) = [list(declared([A_ROOT], "dev"))]
    (violation,) = BY_NAME["not-root"].broken_in(stack, {})
    assert str(violation) == (
        "DaemonSet logging/agent\n"
        "  path   spec.template.spec.containers[0].securityContext.runAsUser\n"
        "  value  0\n"
        "  fix    run as another user: runAsUser: 65532, with fsGroup if it writes to volumes"
    )


@pytest.mark.parametrize(
    ("patterns", "violations"),
    [([], 1), (["DaemonSet logging/agent"], 0), (["DaemonSet logging/*"], 0), (["Deployment *"], 1)],
)
def test_objects_are_exempt_by_pattern(patterns: list[str], violations: int) -> None:
    """For one agent that must run as root, the rule need not be disabled."""
    assert len(broken(BY_NAME["not-root"], [A_ROOT], "dev", exempt=patterns)) == violations


@pytest.mark.parametrize(
    ("stack", "settings", "violations"),
    [
        ("prod", {}, 1),
        ("prod-eu", {}, 1),
        ("eu-prod", {}, 1),
        ("production", {}, 1),
        ("product", {}, 0),
        ("staging", {}, 0),
        ("live", {"production": ["live", "live-*"]}, 1),
        ("prod", {"production": ["live", "live-*"]}, 0),
    ],
)
def test_production_is_recognised_by_the_stacks_name(stack: str, settings: Any, violations: int) -> None:  # noqa: ANN401
    """Patterns of the policy config replace the default names."""
    assert len(broken(BY_NAME["mtls-strict"], [PERMISSIVE], stack, **settings)) == violations


def test_other_resources_are_not_checked() -> None:
    """Components, providers and resources of other clouds."""
    for token in ("mesh:index:TrafficPolicy", "pulumi:providers:kubernetes", "aws:s3/bucket:Bucket"):
        assert Object.read(token, "a", f"urn:pulumi:dev::shop::{token}::a", {}) is None


def test_an_object_without_a_name_goes_by_its_resource() -> None:
    """Pulumi names it from the resource."""
    token = "kubernetes:apps/v1:Deployment"  # noqa: S105 - a type, not a secret
    found = Object.read(token, "cart", f"urn:pulumi:dev::shop::{token}::cart", {"metadata": UNKNOWN})
    assert str(found) == "Deployment (not yet known)/(not yet known)"
    assert str(Object.read(token, "cart", "", {"metadata": {}})) == "Deployment default/cart"


def _places(value: Any, *way: str | int) -> Iterator[tuple[str | int, ...]]:  # noqa: ANN401
    """List every path below the roots of the manifests, without those of their type."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        if len(way) >= 1 and key not in ("apiVersion", "kind"):
            yield (*way, key)
        yield from _places(each, *way, key)


def _later_route(case: Case, place: tuple[str | int, ...]) -> bool:
    """Return whether this is the one exception: if a route's match is unknown, the next such route counts."""
    return case.rule.name == "routes-reachable" and bool(case.breaks) and place[-1] == "match"
