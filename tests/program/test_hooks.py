"""What the engine is to call around the resources, and what keeps the program from its end."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pulumi
import pytest

from components.rollout import istiod, update
from components.rollout.hooks import SharedHooks
from components.rollout.proxy_status import READ, HandoverError
from tests.program.recorder import Recording, run
from tests.unit.istiods import FakeCluster
from tests.unit.stacks import several, with_changes

SERVICES = {"shop": ("v1", "v2"), "cart": ("blue", "green")}

ROUTES = {
    "istio": "virtualservices.networking.istio.io",
    "gateway-api": "httproutes.gateway.networking.k8s.io",
}


@pytest.fixture(autouse=True)
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeCluster]:
    """A kubectl that shows a cluster without anything."""
    cluster = FakeCluster(tmp_path)
    for api, routes in ROUTES.items():
        for kinds in (f"deployments,{routes}", READ[api]):
            cluster.write(f"objects {kinds}", json.dumps({"items": []}))
    monkeypatch.setenv("PATH", cluster.path)
    yield cluster
    cluster.close()


def with_hooks(api: str) -> Recording:
    """Run a stack of two services with two versions each."""
    return run(with_changes(**several(), api=api), hooks=True)


@pytest.mark.parametrize(("api", "routes"), [("istio", "VirtualService"), ("gateway-api", "HTTPRoute")])
def test_routes_change_after_a_wait(api: str, routes: str) -> None:
    """For versions that arrive, and a look at the proxies for those that leave; each service's."""
    ran = with_hooks(api)
    for service in SERVICES:
        assert "before-routes-update" in ran[f"{routes} {service}"].hooks["before_update"]


@pytest.mark.parametrize(("api", "subset"), [("istio", "DestinationRule"), ("gateway-api", "Service")])
def test_proxies_are_sampled_before_a_version_gets_its_subset(api: str, subset: str) -> None:
    """Each version's of each service."""
    ran = with_hooks(api)
    for service, versions in SERVICES.items():
        for version in versions:
            assert "before-subset-create" in ran[f"{subset} {service}-{version}"].hooks["before_create"]


@pytest.mark.parametrize("api", ["istio", "gateway-api"])
def test_pods_are_waited_for_beyond_the_provider(api: str) -> None:
    """Each version's."""
    ran = with_hooks(api)
    for service, versions in SERVICES.items():
        for version in versions:
            hooks = ran[f"Deployment {service}-{version}"].hooks
            assert "pods-updated" in hooks["after_update"]
            assert "pods-unready" in hooks["on_error"]


@pytest.mark.parametrize("api", ["istio", "gateway-api"])
def test_each_hook_finds_its_function_by_the_name_of_its_resource(
    api: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One hook serves all services. Without a function it would fail in the middle of an update.

    Hooks of the whole stack have one function and take every resource.
    """
    shared: list[SharedHooks] = []

    class Noted(SharedHooks):
        def __init__(self) -> None:
            super().__init__()
            shared.append(self)

    monkeypatch.setattr(update, "SharedHooks", Noted)
    ran = with_hooks(api)
    bound = {
        (hook, each.name)
        for each in ran.resources
        for when, hooks in each.hooks.items()
        for hook in hooks
        if "delete" not in when
    }
    (hooks,) = shared
    kinds = hooks._hooks.keys() | hooks._error_hooks.keys()  # noqa: SLF001
    assert kinds
    assert {each for each in bound if each[0] in kinds} == {*hooks._functions, *hooks._error_functions}  # noqa: SLF001 (what it would call)


@pytest.mark.parametrize("api", ["istio", "gateway-api"])
def test_the_program_ends_in_an_error_where_proxies_keep_a_version_that_goes(
    api: str, cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the engine would delete its pods. Here istiod does not answer, and v0 is in the cluster."""
    monkeypatch.setattr(istiod, "ANSWER_SECONDS", 0.5)
    labels = {"app": "shop", "version": "v0"}
    pods = {"kind": "Deployment", "metadata": {"labels": labels}}
    cluster.write(f"objects deployments,{ROUTES[api]}", json.dumps({"items": [pods]}))
    cluster.add({})
    cluster.istiods[0].frozen.set()
    with pytest.raises(HandoverError, match="shop: istiod did not answer"):
        with_hooks(api)


def test_mocks_that_know_no_hooks_get_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests of other programs run this one's components so; they fail at the first hook."""
    monkeypatch.setenv("PATH", os.devnull)
    ran = run(with_changes())
    assert not [each.key for each in ran.resources if each.hooks]
    assert issubclass(HandoverError, pulumi.RunError)
