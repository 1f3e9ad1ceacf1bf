"""Every stack file of the repository, run through the real program."""

from typing import Any

import pytest

from components.rollout.handover import Handover
from components.settings.errors import ConfigError
from tests.program.recorder import ROOT, Recording, run, stack_file
from tests.unit.stacks import with_changes

STACKS = sorted(path.name for path in ROOT.glob("Pulumi.*.yaml"))
OURS = "mesh:index:"


@pytest.fixture(scope="module", params=STACKS)
def recording(request: pytest.FixtureRequest) -> Recording:
    return run(stack_file(request.param))


def test_there_is_a_stack_to_run() -> None:
    """The walkthrough's, at least."""
    assert "Pulumi.dev.yaml" in STACKS


def test_every_resource_is_in_a_component_and_on_the_cluster_of_the_stack_file(recording: Recording) -> None:
    """Nothing stands by itself, and nothing goes to whatever cluster was used last."""
    cluster = recording["kubernetes cluster"]
    for each in recording.resources:
        if not each.custom or each is cluster:
            continue
        assert OURS in each.parent.split("::")[2], f"{each.key} is in no component"
        assert each.provider.startswith(cluster.urn), f"{each.key} has another provider"


def test_components_say_what_they_made(recording: Recording) -> None:
    """Each component registers outputs, or Pulumi shows it as never finished."""
    components = {each.key for each in recording.resources if not each.custom}
    assert components == set(recording.component_outputs)
    assert all(recording.component_outputs.values())


def test_workloads_come_before_subsets_and_subsets_before_routes(recording: Recording) -> None:
    """Law 3, and with it the order in which a version goes."""
    versions = recording.outputs["versions"]
    (app,) = [each.name for each in recording.resources if each.key.startswith("TrafficPolicy ")]
    routes = recording.waits_for(f"VirtualService {app}")
    assert f"Gateway {app}" in routes
    for version in versions:
        assert f"DestinationRule {app}-{version}" in routes
        assert f"Deployment {app}-{version}" in recording.waits_for(f"DestinationRule {app}-{version}")


def test_everything_in_the_namespace_waits_for_the_namespace(recording: Recording) -> None:
    """A pod that is made before the namespace has its label gets no sidecar."""
    name = recording.outputs["namespace"]
    for each in recording.resources:
        metadata: dict[str, Any] = dict(each.inputs.get("metadata") or {})
        if metadata.get("namespace") == name:
            assert f"Namespace {name}" in recording.waits_for(each.key), each.key


def test_the_walkthroughs_outputs() -> None:
    """What `pulumi stack output` says of dev."""
    assert run(stack_file("Pulumi.dev.yaml")).outputs == {
        "url": "http://127.0.0.1:31380/hello",
        "urls": {"80": "http://127.0.0.1:31380/hello", "8066": "http://127.0.0.1:31386/hello"},
        "weights": {"v1": 100, "v2": 0},
        "versions": ["v1", "v2"],
        "namespace": "springistiodemo",
    }


def test_the_walkthroughs_resources() -> None:
    """No more and no less."""
    assert run(stack_file("Pulumi.dev.yaml")).keys() == {
        "kubernetes cluster",
        "MeshNamespace springistiodemo",
        "Namespace springistiodemo",
        "MeshIngress ingress",
        "Service mesh-app:ingress.service",
        "Service extra-ports",
        "VersionedApp springbootapp",
        "ServiceAccount springbootapp",
        "Service springbootapp",
        "Deployment springbootapp-v1",
        "Deployment springbootapp-v2",
        "TrafficPolicy springbootapp",
        "Gateway springbootapp",
        "DestinationRule springbootapp-v1",
        "DestinationRule springbootapp-v2",
        "VirtualService springbootapp",
        "VirtualService springbootapp.mesh",
    }


@pytest.mark.parametrize(
    ("changes", "routes"),
    [
        ({}, {"VirtualService springbootapp", "VirtualService springbootapp.mesh"}),
        ({"mesh": False}, {"VirtualService springbootapp"}),
        ({"gateway": {"hosts": ["a.b"]}}, {"VirtualService springbootapp"}),
        ({"api": "gateway-api"}, {"HTTPRoute springbootapp"}),
    ],
)
def test_a_weight_change_shows_as_changed_routes(changes: dict[str, Any], routes: set[str]) -> None:
    """Law 1, for the whole program: not even a component's own inputs change."""
    before = run(with_changes(**changes))
    after = run(with_changes(**changes, weights={"v1": 90, "v2": 10}))
    assert {each.key for each in after.resources if each.inputs != before[each.key].inputs} == routes


def test_callers_in_the_mesh_have_their_routes_before_the_gateways_object_gives_them_up() -> None:
    """When hosts change from names to `*`; and on deletion it is the other way round."""
    assert "VirtualService springbootapp.mesh" in run(with_changes()).waits_for(
        "VirtualService springbootapp"
    )


def test_before_the_routes_of_callers_in_the_mesh_there_are_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """They call the Service: the creation of their object is a change, and is waited for as one."""
    asked: dict[str, bool] = {}

    def of_routes(_: Handover, name: str, *, first: bool = True) -> None:
        asked[name] = first

    monkeypatch.setattr(Handover, "of_routes", of_routes)
    run(with_changes())
    assert asked == {"springbootapp": True, "springbootapp.mesh": False}


def test_a_new_version_adds_its_workload_its_subset_and_its_place_in_the_routes() -> None:
    """Preview shows two new objects and one changed."""
    before = run(with_changes())
    after = run(with_changes(versions__v3={"tag": "44"}))
    assert after.keys() - before.keys() == {"Deployment springbootapp-v3", "DestinationRule springbootapp-v3"}
    assert {key for key in before.keys() if after[key].inputs != before[key].inputs} == {  # noqa: SIM118
        "VirtualService springbootapp",
        "VirtualService springbootapp.mesh",
    }


def test_a_second_app_takes_nothing_but_a_stack_file() -> None:
    """Another name, image, port, probe, three versions, another namespace and revision."""
    second = run(
        with_changes(
            namespace={"name": "shop", "injection": {"revision": "canary"}},
            app={"name": "cart", "image": "registry:5000/team/cart", "port": 9000, "probe": "/ready"},
            versions={"blue": {"tag": "1"}, "green": {"tag": "2", "replicas": 3}, "red": {"tag": "3"}},
            weights={"blue": 20, "green": 30, "red": 50},
            gateway={"hosts": ["cart.example.com"]},
            ingress={"address": "10.0.0.1"},
        )
    )
    assert second.outputs["url"] == "http://10.0.0.1:31380/ready"
    assert second.outputs["urls"] == {"80": "http://10.0.0.1:31380/ready"}
    assert second["Namespace shop"].inputs["metadata"]["labels"]["istio.io/rev"] == "canary"
    assert second["Deployment cart-green"].inputs["spec"]["replicas"] == 3
    dev = run(stack_file("Pulumi.dev.yaml"))
    shared = placed(second) & placed(dev)
    assert not shared, f"both stacks would own {shared}"


def test_what_looks_after_the_number_of_pods_comes_after_them() -> None:
    """An autoscaler and a budget for each version that asks, and no replicas beside an autoscaler."""
    ran = run(
        with_changes(
            versions__v1__autoscaling={"min": 2, "max": 5},
            versions__v1__disruptionBudget={"minAvailable": 1},
        )
    )
    added = ran.keys() - run(with_changes()).keys()
    assert added == {"HorizontalPodAutoscaler springbootapp-v1", "PodDisruptionBudget springbootapp-v1"}
    assert all("Deployment springbootapp-v1" in ran.waits_for(each) for each in added)
    assert "replicas" not in ran["Deployment springbootapp-v1"].inputs["spec"]
    assert ran["Deployment springbootapp-v2"].inputs["spec"]["replicas"] == 1


def test_faults_stop_the_program_before_the_first_resource() -> None:
    """Not even the provider is made."""
    with pytest.raises(ConfigError):
        run(with_changes(weights={"v1": 90, "v2": 20}))


@pytest.mark.parametrize(
    ("injection", "labels"),
    [
        ("enabled", {"istio-injection": "enabled"}),
        ("disabled", {"istio-injection": "disabled"}),
        ("ambient", {"istio.io/dataplane-mode": "ambient"}),
        ({"revision": "canary"}, {"istio.io/rev": "canary"}),
        ("manual", {}),
    ],
)
def test_exactly_one_injection_label_is_set(injection: object, labels: dict[str, str]) -> None:
    """Two would overrule each other; manual leaves the choice to the pods."""
    namespace = run(with_changes(namespace__injection=injection, mesh=False))["Namespace springistiodemo"]
    found = {key: label for key, label in namespace.inputs["metadata"]["labels"].items() if "istio" in key}
    assert found == labels


def placed(recording: Recording) -> set[tuple[str, str, str]]:
    """Where the objects of a stack stand in the cluster, those it only reads left out."""
    return {
        (each.type, each.inputs["metadata"].get("namespace", ""), each.inputs["metadata"]["name"])
        for each in recording.resources
        if each.type.startswith("kubernetes:") and not each.read
    }
