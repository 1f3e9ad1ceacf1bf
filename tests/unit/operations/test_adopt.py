"""`python -m operations adopt`: existing objects as a stack file, and what cannot be expressed."""

from collections.abc import Sequence
from copy import deepcopy
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from operations.adoption.app_objects import AppObjects, find_family
from operations.adoption.differences import Difference, additions, differences
from operations.adoption.import_state import merge
from operations.adoption.pods import is_of
from operations.adoption.report import show_additions
from operations.adoption.sources import from_files, namespace_of, without_defaults
from operations.adoption.stack_file import injection, stack_config
from operations.errors import OperationError
from operations.kube.fields import flow
from operations.kube.manifests import Manifest, manifests
from operations.pulumi_stack.program import declare
from tests.unit.operations.projects import project

MANUAL = Path(__file__).with_name("manual")
WALKTHROUGH = ("2nodes", "destination", "gateway", "vs-v1")
INGRESS = {"service": "istio-system/istio-ingressgateway", "address": "127.0.0.1"}


def manual(*names: str) -> list[Manifest]:
    return from_files([MANUAL / f"{name}.yaml" for name in names], "team")


def walkthrough() -> list[Manifest]:
    return manual(*(f"springbootapp-{name}" for name in WALKTHROUGH))


def config(family: AppObjects, probe: str | None = "/hello") -> dict[str, Any]:
    keys = stack_config(
        family, None, shared=True, project="mesh-app", context="lab", ingress=dict(INGRESS), probe=probe
    )
    return {key.removeprefix("mesh-app:"): value for key, value in keys.items()}


def lost(family: AppObjects, folder: Path) -> list[Difference]:
    """Write the stack file, let the program render it, and compare the objects."""
    keys = stack_config(
        family, None, shared=True, project="mesh-app", context="lab", ingress=dict(INGRESS), probe="/hello"
    )
    return differences(family, manifests(declare(project(folder, "team", keys), "team")))


def shown(found: Sequence[Difference], *, gone: bool) -> set[str]:
    return {f"{each.where} {each.path}: {flow(each.value)}" for each in found if each.is_lost is gone}


def test_the_walkthroughs_files_become_the_walkthroughs_stack() -> None:
    """The same keys and values that Pulumi.dev.yaml has."""
    found = config(find_family(walkthrough(), "team", None))
    assert found["app"] == {
        "name": "springbootapp",
        "image": "xjk27400861/springbootapp",
        "port": 8080,
        "probe": "/hello",
    }
    assert found["versions"] == {"v1": {"tag": "42"}, "v2": {"tag": "43"}}
    assert found["weights"] == {"v1": 100, "v2": 0}
    assert found["gateway"] == {"hosts": ["*"], "port": 80}
    assert found["ingress"] == {**INGRESS, "selector": {"istio": "ingressgateway"}}
    assert found["namespace"] == {"name": "team", "injection": "enabled", "existing": True}
    assert found["mesh"] is False, "callers in the mesh reach every pod, as before"
    assert not {"routes", "resilience"} & found.keys()


def test_of_the_walkthrough_nothing_is_lost(tmp_path: Path) -> None:
    """Three fields change, each reported with both values."""
    found = lost(find_family(walkthrough(), "team", None), tmp_path)
    assert shown(found, gone=True) == set()
    assert shown(found, gone=False) == {
        "Service springbootapp spec.ports[0].targetPort: 8080",
        "Gateway springbootapp-gateway spec.servers[0].port.name: http",
        "VirtualService springbootapp spec.gateways: [springbootapp-gateway]",
    }


def test_helloworld_has_its_own_images_and_shares_by_pods(tmp_path: Path) -> None:
    """No subset, no weight: Kubernetes shares by pods, and so do the weights."""
    family = find_family(manual("helloworld"), "team", None)
    found = config(family)
    assert found["app"]["image"] == "docker.io/istio/examples-helloworld-v1"
    assert found["versions"]["v2"]["image"] == "docker.io/istio/examples-helloworld-v2"
    assert found["versions"]["v1"]["resources"] == {"requests": {"cpu": "100m"}}
    assert found["weights"] == {"v1": 50, "v2": 50}
    # The weights are read from this route, so it follows them.
    assert found["routes"] == [{"name": "route-1", "uri": "/hello"}]

    named = lost(family, tmp_path)
    assert "Service helloworld metadata.labels.service: helloworld" in shown(named, gone=True)
    # The one that users would notice: other paths were refused, and are not any more.
    assert "VirtualService helloworld spec.http[1]: 'nothing: 404'" in shown(named, gone=False)


def test_a_route_for_its_treatment_follows_the_weights(tmp_path: Path) -> None:
    """It has the destinations of the last one; without options, or without its mirror, it does not."""
    objects = walkthrough()
    (virtual_service,) = (each for each in objects if each["kind"] == "VirtualService")
    (last,) = virtual_service["spec"]["http"]

    def route(path: str, **treatment: object) -> dict[str, Any]:
        return {"match": [{"uri": {"exact": path}}], **deepcopy(last), **treatment}

    virtual_service["spec"]["http"] = [route("/report", timeout="60s"), route("/pinned"), last]
    family = find_family(objects, "team", None)
    assert config(family)["routes"] == [
        {"name": "route-1", "uri": "/report", "timeout": "60s"},
        {"name": "route-2", "uri": "/pinned", "to": "v1"},
    ]
    assert not [line for line in shown(lost(family, tmp_path), gone=True) if "http" in line]

    last["mirror"] = {"host": "springbootapp", "subset": "v2"}
    assert config(find_family(objects, "team", None))["routes"][0]["to"] == "v1"


def test_reviews_is_found_among_others_and_stays_inside_the_mesh(tmp_path: Path) -> None:
    """Header route, fault injection, retries and outliers stay; volumes and TLS mode are reported as lost."""
    family = find_family(manual("reviews"), "team", "reviews")
    found = config(family)
    assert found["mesh"] is True
    assert found["gateway"] == {"hosts": ["reviews.team.internal"]}
    assert found["weights"] == {"v1": 80, "v2": 20}
    assert found["routes"] == [
        {
            "name": "route-1",
            "headers": {"end-user": "jason"},
            "to": "v2",
            "timeout": "2s",
            "fault": {"delay": {"time": "1s", "percent": 50.0}},
        }
    ]
    assert found["resilience"] == {
        "loadBalancer": {"simple": "RANDOM"},
        "retries": {"attempts": 2, "retryOn": ["connect-failure", "refused-stream"]},
    }
    assert found["versions"]["v2"]["outliers"] == {"consecutive5xx": 3, "interval": "10s"}
    assert found["versions"]["v1"]["serviceAccount"] == "bookinfo-reviews"
    assert [each["metadata"]["name"] for each in family.others] == [
        "ratings",
        "ratings-v1",
        "bookinfo-reviews",
    ]

    named = shown(lost(family, tmp_path), gone=True)
    assert "DestinationRule reviews spec.subsets[v1].trafficPolicy.tls: {mode: ISTIO_MUTUAL}" in named
    pod = "Deployment reviews-v1 spec.template.spec"
    assert f"{pod}.volumes[wlp-output]: {{name: wlp-output, emptyDir: {{}}}}" in named
    assert any("mountPath: /opt/ibm/wlp/output" in line for line in named)


def test_several_apps_need_a_name() -> None:
    """For an unknown name, the message lists the existing ones."""
    with pytest.raises(OperationError, match="2 Services with Deployments: ratings, reviews"):
        find_family(manual("reviews"), "team", None)
    with pytest.raises(OperationError, match="no Service details; existing: ratings, reviews"):
        find_family(manual("reviews"), "team", "details")


def test_a_missing_probe_is_asked_for() -> None:
    """A pod gets traffic once its probe succeeds, so the path is not guessed."""
    with pytest.raises(OperationError, match="no readinessProbe") as caught:
        config(find_family(walkthrough(), "team", None), probe=None)
    assert "--probe /PATH" in caught.value.fix


def test_one_namespace_and_no_other() -> None:
    """A stack has one; for objects of two it must be named."""
    objects = walkthrough()
    assert namespace_of(objects, None) == "team"
    objects[0]["metadata"]["namespace"] = "other"
    with pytest.raises(OperationError, match="the objects name: other, team"):
        namespace_of(objects, None)


@pytest.mark.parametrize("text", ["a: [", "kind: Service"])
def test_what_is_no_object_is_refused_with_its_file(tmp_path: Path, text: str) -> None:
    """Broken YAML, and YAML of something else."""
    file = tmp_path / "team.yaml"
    file.write_text(text)
    with pytest.raises(OperationError, match=r"team\.yaml"):
        from_files([file], None)


def test_defaults_and_assigned_fields_are_removed() -> None:
    """Those of live objects are not reported as lost."""
    service, deployment = deepcopy(walkthrough()[:2])
    live = deepcopy(service)
    live["spec"] |= {"clusterIP": "10.0.0.1", "sessionAffinity": "None", "type": "ClusterIP"}
    live["spec"]["ports"][0]["protocol"] = "TCP"
    assert without_defaults(live) == service
    live = deepcopy(deployment)
    live["spec"] |= {"progressDeadlineSeconds": 600}
    live["spec"]["template"]["spec"]["dnsPolicy"] = "ClusterFirst"
    assert "progressDeadlineSeconds" not in without_defaults(live)["spec"]
    assert "dnsPolicy" not in without_defaults(live)["spec"]["template"]["spec"]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({"istio-injection": "enabled"}, "enabled"),
        ({"istio.io/rev": "canary"}, {"revision": "canary"}),
        ({"istio.io/dataplane-mode": "ambient"}, "ambient"),
        ({}, "manual"),
    ],
)
def test_injection_is_read_from_the_namespace(labels: dict[str, str], expected: object) -> None:
    """From its labels; without one, each pod has its own."""
    assert injection({"metadata": {"name": "team", "labels": labels}}) == expected


def test_pods_of_the_program_are_not_released_again() -> None:
    """An interrupted takeover resumes; fields that Kubernetes added to the template make no difference."""
    before = next(each for each in walkthrough() if each["kind"] == "Deployment")
    declared = deepcopy(before)
    declared["spec"]["template"]["spec"]["serviceAccountName"] = "springbootapp"
    assert not is_of(declared, before)
    live = deepcopy(declared)
    live["spec"]["template"]["spec"] |= {"dnsPolicy": "ClusterFirst"}
    assert is_of(declared, live)


def test_the_state_has_existing_objects_and_their_parents(tmp_path: Path) -> None:
    """Provider and components first, each object under its program's URN; twice changes nothing."""
    keys = stack_config(
        find_family(walkthrough(), "team", None),
        None,
        shared=True,
        project="mesh-app",
        context="lab",
        ingress=dict(INGRESS),
        probe="/hello",
    )
    resources = declare(project(tmp_path, "team", keys), "team")
    service = "urn:pulumi:team::mesh-app::mesh:index:VersionedApp$kubernetes:core/v1:Service::springbootapp"
    root = "urn:pulumi:team::mesh-app::pulumi:pulumi:Stack::mesh-app-team"
    state = merge([], resources, {service}, root)
    assert [each["urn"].removeprefix("urn:pulumi:team::mesh-app::") for each in state] == [
        "pulumi:pulumi:Stack::mesh-app-team",
        "pulumi:providers:kubernetes::cluster",
        "mesh:index:VersionedApp::springbootapp",
        "mesh:index:VersionedApp$kubernetes:core/v1:Service::springbootapp",
    ]
    assert state[-1]["id"] == "team/springbootapp"
    assert state[-1]["provider"] == f"{state[1]['urn']}::{state[1]['id']}"
    assert merge(state, resources, {service}, root) == state


def test_what_the_program_adds_is_listed(tmp_path: Path) -> None:
    """Limits, user, read-only file system and probes."""
    family = find_family(walkthrough(), "team", None)
    keys = stack_config(
        family, None, shared=True, project="mesh-app", context="lab", ingress=dict(INGRESS), probe="/hello"
    )
    found = additions(family, manifests(declare(project(tmp_path, "team", keys), "team")))
    added = {each.path: each.becomes for each in found if each.where == "Deployment springbootapp-v1"}
    pod = "spec.template.spec"
    assert added[f"{pod}.containers[0].resources"]["limits"] == {"memory": "512Mi"}  # type: ignore[index]
    assert added[f"{pod}.securityContext"]["runAsUser"] == 65532  # type: ignore[index]
    assert added[f"{pod}.containers[0].securityContext"]["readOnlyRootFilesystem"] is True  # type: ignore[index]
    assert f"{pod}.containers[0].readinessProbe" in added
    assert f"{pod}.containers[0].image" not in added
    console = Console(file=StringIO(), width=1000)
    show_additions(found, console)
    printed = console.file.getvalue()  # type: ignore[attr-defined]
    assert f"{len(added)} fields that the program adds:\n" in printed
    both = "  Deployment springbootapp-v1, Deployment springbootapp-v2  "
    assert f"{both}spec.template.spec.terminationGracePeriodSeconds: 40\n" in printed


def with_ports(*ports: dict[str, Any], **spec: object) -> AppObjects:
    objects = walkthrough()
    objects[0]["spec"] |= {"ports": list(ports), **spec}
    return find_family(objects, "team", None)


@pytest.mark.parametrize(
    ("family", "why"),
    [
        (with_ports({"port": 80, "targetPort": 8080}), r"ports\[0\].port is 80 and leads to port 8080"),
        (with_ports({"port": 8080}, {"port": 9090}), r"2 ports \(8080, 9090\)"),
        (with_ports({"port": 8080}, type="LoadBalancer"), "spec.type is LoadBalancer"),
        (with_ports({"port": 8080}, type="NodePort"), "spec.type is NodePort"),
        (with_ports({"port": 8080}, externalIPs=["192.0.2.9"]), r"spec.externalIPs is \[192.0.2.9\]"),
    ],
)
def test_a_service_whose_callers_would_lose_it_is_refused(family: AppObjects, why: str) -> None:
    """The program's Service has one port, the app's, inside the cluster."""
    with pytest.raises(OperationError, match=f"Service springbootapp: .*{why}"):
        config(family)


def with_probes(**probes: object) -> AppObjects:
    objects = walkthrough()
    for each in objects:
        if each["kind"] == "Deployment":
            each["spec"]["template"]["spec"]["containers"][0] |= probes
    return find_family(objects, "team", None)


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        ({"port": 8081}, "port 8081"),
        ({"port": 8080, "scheme": "HTTPS"}, "scheme HTTPS"),
        ({"port": 8080, "httpHeaders": [{"name": "Host", "value": "shop"}]}, "httpHeaders"),
        ({"port": 8080, "path": "/ready?deep=1"}, "a query in its path"),
    ],
)
def test_a_readiness_probe_that_cannot_be_expressed_is_refused(request_: dict[str, Any], why: str) -> None:
    """On another port the pods would never become ready; `--probe` names a path that the program can use."""
    family = with_probes(readinessProbe={"httpGet": {"path": "/ready"} | request_})
    with pytest.raises(
        OperationError, match=f"Deployment springbootapp-v1: readinessProbe.httpGet has {why}"
    ):
        config(family, probe=None)
    assert config(family, probe="/hello")["app"]["probe"] == "/hello"


def test_probes_keep_their_paths_and_times() -> None:
    """Each of the three, where it is not the program's default."""
    family = with_probes(
        readinessProbe={"httpGet": {"path": "/ready", "port": 8080}, "periodSeconds": 7},
        livenessProbe={"httpGet": {"path": "/live", "port": 8080}, "failureThreshold": 9},
        startupProbe={"exec": {"command": ["true"]}},
    )
    found = config(family, probe=None)
    assert found["app"]["probe"] == "/ready"
    assert found["versions"]["v1"]["probes"] == {
        "readiness": {"periodSeconds": 7},
        "liveness": {"path": "/live", "failureThreshold": 9},
    }
