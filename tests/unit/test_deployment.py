"""Kubernetes' objects of a version, as expected in YAML beside this test."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from components.manifests import deployment, pod
from components.manifests.horizontal_pod_autoscaler import horizontal_pod_autoscaler
from components.manifests.pod_disruption_budget import pod_disruption_budget
from components.manifests.service import service_spec
from components.model.stack import Namespace
from tests.unit.stacks import stack

EXPECTED: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "expected/workload.yaml").read_text())
ENABLED = Namespace(name="springistiodemo")


def pods(version: str = "v1", **changes: object) -> dict[str, Any]:
    read = stack(**changes)
    template: dict[str, Any] = deployment.deployment(read.services[0], version, read.namespace)["template"]
    return template


def test_the_walkthroughs_objects() -> None:
    """One Service for all versions, and pods without rights that leave only when their successor is ready."""
    (service,) = stack().services
    assert service_spec(service) == EXPECTED["service"]
    assert deployment.deployment(service, "v1", ENABLED) == EXPECTED["deployment v1"]


def test_a_pod_has_time_to_drain() -> None:
    """The grace period outlasts the sleep before the stop signal by half a minute."""
    assert pod.GRACE_SECONDS >= pod.DRAIN_SECONDS + 30


def test_a_change_of_injection_makes_new_pods() -> None:
    """Sidecars come when a pod is made: the template says under which injection that was."""
    templates = [
        pods(namespace__injection=injection, mesh=False)
        for injection in (
            "enabled",
            "disabled",
            "manual",
            "ambient",
            {"revision": "canary"},
            {"revision": "old"},
        )
    ]
    assert all(template not in templates[:nth] for nth, template in enumerate(templates))


@pytest.mark.parametrize(
    ("injection", "sidecar", "label"),
    [
        ("manual", True, "true"),
        ("manual", False, "false"),
        ("manual", None, None),
        ("enabled", False, "false"),
        ("enabled", None, None),
        ({"revision": "canary"}, False, "false"),
        ("disabled", False, None),
    ],
)
def test_a_version_chooses_its_sidecar_where_the_namespace_lets_it(
    injection: object, sidecar: bool | None, label: str | None
) -> None:
    """The pod's own label is there only when the version says so and Istio would listen."""
    labels = pods(namespace__injection=injection, versions__v1__sidecar=sidecar)["metadata"]["labels"]
    assert labels.get("sidecar.istio.io/inject") == label


def test_an_autoscaled_version_leaves_its_replicas_alone() -> None:
    """Two owners of one number would take turns."""
    (service,) = stack(versions__v1__autoscaling={"min": 2, "max": 9, "cpu": 70}).services
    assert "replicas" not in deployment.deployment(service, "v1", ENABLED)
    scaling = service.versions["v1"].autoscaling
    assert scaling
    assert (
        horizontal_pod_autoscaler("springbootapp-v1", "springbootapp", scaling) == EXPECTED["autoscaler v1"]
    )


def test_a_disruption_budget_counts_the_pods_of_one_version() -> None:
    """Another version's pods are no stand-in."""
    (service,) = stack(versions__v1__disruptionBudget={"maxUnavailable": "50%"}).services
    budget = service.versions["v1"].disruption_budget
    assert budget
    assert pod_disruption_budget(service.app, "v1", budget) == EXPECTED["disruption budget v1"]


def test_what_a_version_says_of_its_pods() -> None:
    """Environment, probes, resources, spread and service account, where Kubernetes has them."""
    full = yaml.safe_load((Path(__file__).parent / "expected/pods.yaml").read_text())
    spec = pods(versions__v1=full["version"])["spec"]
    container = spec["containers"][0]
    assert {key: container[key] for key in full["container"]} == full["container"]
    assert {key: spec[key] for key in full["pod"]} == full["pod"]


@pytest.mark.parametrize(
    ("injection", "sidecar", "labels"),
    [
        ("enabled", None, {"sidecar.istio.io/inject": "true"}),
        ("enabled", False, {"sidecar.istio.io/inject": "false"}),
        ("disabled", None, {"sidecar.istio.io/inject": "false"}),
        ("manual", None, {}),
        ("manual", True, {"sidecar.istio.io/inject": "true"}),
        ("ambient", None, {"istio.io/dataplane-mode": "ambient", "sidecar.istio.io/inject": "false"}),
        ({"revision": "canary"}, None, {"istio.io/rev": "canary"}),
        ({"revision": "canary"}, False, {"sidecar.istio.io/inject": "false"}),
    ],
)
def test_in_an_existing_namespace_pods_join_the_mesh_by_their_own_labels(
    injection: object, sidecar: bool | None, labels: dict[str, str]
) -> None:
    """The namespace is another owner's, and its labels stay as they are."""
    own: dict[str, Any] = {} if sidecar is None else {"versions__v1__sidecar": sidecar}
    own["mesh"] = injection != "ambient"
    template = pods(namespace__existing=True, namespace__injection=injection, **own)
    found = template["metadata"]["labels"]
    assert {key: found[key] for key in found if "istio.io/" in key} == labels
