"""A stack that is pinned to a cluster, and one whose namespace and last version are protected."""

from typing import Any

import pytest

from components.settings.errors import ConfigError
from tests.program import recorder
from tests.program.recorder import INGRESS_SERVICE, Recording, run
from tests.unit.stacks import with_changes

UID = "6ff6c1b2-1f0e-4d0c-9f0a-2f5d1c0b7a3e"
OTHER = "00000000-1f0e-4d0c-9f0a-2f5d1c0b7a3e"


def cluster(uid: str) -> dict[str, Any]:
    return {
        "istio-system/istio-ingressgateway": INGRESS_SERVICE,
        "kube-system": {"metadata": {"uid": uid}},
    }


def test_everything_waits_until_the_cluster_is_known() -> None:
    """On the right cluster the pin adds a look at one namespace, and changes no object."""
    plain, pinned = run(with_changes()), run(with_changes(clusterUid=UID), cluster(UID))
    assert pinned.keys() - plain.keys() == {"ClusterPin pin", "Namespace mesh-app:clusterUid"}
    assert {key for key in plain.keys() if plain[key].inputs != pinned[key].inputs} == set()  # noqa: SIM118
    for each in pinned.resources:
        if each.type.startswith("mesh:index:") and each.key != "ClusterPin pin":
            assert "Namespace mesh-app:clusterUid" in pinned.waits_for(each.key), each.key


def test_another_cluster_is_refused_before_anything_is_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is even told to the engine but the look itself; the message says both uids and what to do."""
    recordings: list[recorder.Recording] = []

    class Kept(recorder.Recording):
        def __init__(self) -> None:
            super().__init__()
            recordings.append(self)

    monkeypatch.setattr(recorder, "Recording", Kept)
    with pytest.raises(ConfigError) as told:
        run(with_changes(clusterUid=UID), cluster(OTHER))
    (issue,) = told.value.issues
    assert (issue.code, str(issue.path), issue.value) == ("MESH204", "mesh-app:clusterUid", UID)
    assert OTHER in issue.rule
    assert "context lab" in issue.rule
    assert "kubectl --context lab get namespace kube-system -o jsonpath={.metadata.uid}" in issue.fix
    assert f"pulumi config set --path 'mesh-app:clusterUid' {OTHER}" in issue.fix
    (ran,) = recordings
    assert ran.keys() == {
        "kubernetes cluster",
        "ClusterPin pin",
        "Namespace mesh-app:clusterUid",
    }


@pytest.fixture
def protected(monkeypatch: pytest.MonkeyPatch) -> Any:  # noqa: ANN401
    """Runs the program and lists what it protects, with all that it registered."""

    def of(**changes: object) -> tuple[set[str], Recording]:
        keys: set[str] = set()
        register = recorder._Monitor.RegisterResource  # noqa: SLF001

        def noted(self: Any, request: Any) -> Any:  # noqa: ANN401
            if request.protect:
                keys.add(f"{request.type.rpartition(':')[2]} {request.name}")
            return register(self, request)

        monkeypatch.setattr(recorder._Monitor, "RegisterResource", noted)  # noqa: SLF001
        return keys, run(with_changes(**changes))

    return of


@pytest.mark.parametrize(
    ("weights", "active_versions"),
    [({"v1": 100, "v2": 0}, {"v1"}), ({"v2": 100}, {"v2"}), ({"v1": 99, "v2": 1}, set())],
)
def test_what_is_protected(protected: Any, weights: dict[str, int], active_versions: set[str]) -> None:  # noqa: ANN401
    """All ways in, and the version that alone serves, with its subset; of two, either may go."""
    always = {
        "Namespace springistiodemo",
        "Service springbootapp",
        "Gateway springbootapp",
        "VirtualService springbootapp",
        "VirtualService springbootapp.mesh",
        "Service extra-ports",
    }
    versions = {
        f"{kind} springbootapp-{name}"
        for name in active_versions
        for kind in ("Deployment", "DestinationRule")
    }
    keys, _ = protected(protected=True, weights=weights)
    assert keys == always | versions


SCALED = {
    "tag": "42",
    "autoscaling": {"min": 2, "max": 4, "cpu": 70},
    "disruptionBudget": {"maxUnavailable": 1},
}


@pytest.mark.parametrize("api", ["istio", "gateway-api"])
def test_what_a_destroy_would_delete_first_is_protected(protected: Any, api: str) -> None:  # noqa: ANN401
    """So that it ends there, with every request answered."""
    keys, ran = protected(
        protected=True,
        api=api,
        versions={"v1": SCALED, "v2": SCALED},
        weights={"v1": 60, "v2": 40},
        security={"mtls": "STRICT"},
        gateway={"hosts": ["shop.example.com"], "tls": {"secret": "shop", "redirect": True}},
    )
    waited_for = {urn for each in ran.resources for urn in each.dependencies}
    objects = [each for each in ran.resources if each.type.startswith("kubernetes:") and not each.read]
    first = {each.key for each in objects if each.urn not in waited_for}
    assert first
    assert first <= keys


def test_nothing_is_protected_unless_the_stack_file_says_so(protected: Any) -> None:  # noqa: ANN401
    """A stack for trying things out is destroyed without a word."""
    assert protected()[0] == set()
