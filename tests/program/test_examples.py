"""The stack files of `examples/`, through the real program."""

from collections import Counter

import pytest

from tests.program.recorder import ROOT, run, stack_file

EXAMPLES = sorted(path.name for path in (ROOT / "examples").glob("*.yaml"))
OBJECTS = {
    "1-two-versions": {"Deployment": 2, "DestinationRule": 2, "VirtualService": 1, "Gateway": 1},
    "2-header-preview": {"Deployment": 2, "DestinationRule": 2, "VirtualService": 1, "Gateway": 1},
    "3-canary": {"Deployment": 2, "DestinationRule": 2, "VirtualService": 1, "Gateway": 1},
    "4-gateway-api": {"Deployment": 2, "HTTPRoute": 1, "Gateway": 1, "Service": 3},
    "5-several-services": {"Deployment": 3, "DestinationRule": 3, "VirtualService": 2, "Gateway": 2},
    "6-security": {"Deployment": 2, "VirtualService": 1, "PeerAuthentication": 1, "AuthorizationPolicy": 1},
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_program_accepts_it_and_declares_the_objects(name: str) -> None:
    """Every rule passes, and the objects are those that the example is about."""
    recording = run(stack_file(f"examples/{name}"))
    made = Counter(
        each.type.rpartition(":")[2] for each in recording.resources if each.custom and not each.read
    )
    wanted = OBJECTS[name.removesuffix(".yaml")]
    assert {kind: made[kind] for kind in wanted} == wanted
    assert recording.outputs["url"]


def test_no_two_examples_share_a_namespace_or_a_host() -> None:
    """They can be deployed side by side."""
    configs = [stack_file(f"examples/{name}") for name in EXAMPLES]
    namespaces = [config["mesh-app:namespace"]["name"] for config in configs]  # type: ignore[index]
    assert len(set(namespaces)) == len(EXAMPLES) == len(OBJECTS)


@pytest.mark.parametrize("name", EXAMPLES)
def test_readme_shows_it(name: str) -> None:
    """README names every example."""
    assert f"examples/{name}" in (ROOT / "README.md").read_text()
