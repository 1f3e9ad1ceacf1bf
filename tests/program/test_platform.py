"""The platform's program: each part where the stack file names it, and no other."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from mesh_platform.both_ends import rules
from tests.program.recorder import ROOT, Recording, run, stack_file

FOLDER = ROOT / "mesh-platform"
SOURCE = {"repository": "https://charts.example.com", "version": "1.31.0"}

JAEGER_PROVIDER = {
    "name": "jaeger",
    "opentelemetry": {"service": "jaeger-collector.istio-system.svc.cluster.local", "port": 4317},
}
RIGHTS = {"ServiceAccount prometheus", "ClusterRole prometheus", "ClusterRoleBinding prometheus"}
RUNNING = ("ConfigMap", "Deployment", "Service")


def platform(**parts: object) -> Recording:
    """Run the program with the parts of a stack file."""
    return of_config({f"mesh-platform:{name}": settings for name, settings in parts.items()})


def of_config(config: Mapping[str, object]) -> Recording:
    """Run the program with whole keys."""
    return run(config, project="mesh-platform", folder=FOLDER)


def values(recording: Recording, chart: str) -> dict[str, Any]:
    """Look up the Helm values of a chart."""
    found: dict[str, Any] = recording[f"Chart {chart}"].inputs["values"]
    return found


def _template(recording: Recording) -> dict[str, Any]:
    """Look up the pod template of Prometheus."""
    found: dict[str, Any] = recording["Deployment prometheus"].inputs["spec"]["template"]
    return found


def test_a_part_that_is_not_named_is_not_there() -> None:
    """Pulumi.yaml's empty defaults name none."""
    assert platform(istio={}).keys() == {"kubernetes cluster"}


def test_the_labs_istio() -> None:
    """Istio alone: observers are in other stacks, because `make up` does not wait for them."""
    recording = of_config(stack_file("mesh-platform/Pulumi.lab.yaml"))
    assert recording.keys() == {
        "kubernetes cluster",
        "Namespace istio-system",
        "Chart base",
        "ConfigGroup gateway-api",
        "Chart istiod",
        "Chart gateway",
    }
    assert recording.waits_for("Chart gateway") >= {"Chart istiod", "Chart base", "ConfigGroup gateway-api"}
    assert recording.outputs == {
        "namespace": "istio-system",
        "ingressService": "istio-system/istio-ingressgateway",
        "nodePorts": {"http": 31380, "https": 31390},
    }


def test_values_of_the_stack_file_are_laid_over_ours() -> None:
    """Key by key: what ours say beside stays."""
    mesh = {"meshConfig": {"accessLogFile": "/dev/stdout"}}
    istiod = values(platform(istio={**SOURCE, "values": {"istiod": mesh}}), "istiod")
    assert istiod["meshConfig"] == {
        "accessLogFile": "/dev/stdout",
        "pathNormalization": {"normalization": "DECODE_AND_MERGE_SLASHES"},
        "defaultConfig": {"holdApplicationUntilProxyStarts": True},
        "extensionProviders": [JAEGER_PROVIDER],
    }


def test_the_proxies_decode_slashes_before_they_compare_paths() -> None:
    """Or `allow.*.paths` of a service could be passed by `/api/..%2Fadmin`; on the lab as everywhere."""
    lab = of_config(stack_file("mesh-platform/Pulumi.lab.yaml"))
    for recording in (platform(istio=SOURCE), lab):
        assert values(recording, "istiod")["meshConfig"]["pathNormalization"] == {
            "normalization": "DECODE_AND_MERGE_SLASHES"
        }


def test_charts_come_from_a_repository_too() -> None:
    """At the version that the stack file pins."""
    chart = platform(istio=SOURCE)["Chart istiod"].inputs
    assert (chart["chart"], chart["version"]) == ("istiod", "1.31.0")
    assert chart["repositoryOpts"] == {"repo": "https://charts.example.com"}


def test_the_labs_prometheus() -> None:
    """Beside an Istio that is there already: nothing of Istio is in this stack."""
    recording = of_config(stack_file("mesh-platform/Pulumi.metrics.yaml"))
    assert recording.keys() == {"kubernetes cluster", *RIGHTS, *(f"{kind} prometheus" for kind in RUNNING)}
    assert recording.outputs == {"prometheus": "istio-system/prometheus:9090"}
    assert recording.waits_for("Deployment prometheus") >= {*RIGHTS, "ConfigMap prometheus"}
    files = recording["ConfigMap prometheus"].inputs["data"]
    assert yaml.safe_load(files["prometheus.yml"])["rule_files"] == ["rules.yml"]
    assert yaml.safe_load(files["rules.yml"]) == rules()


def test_prometheus_runs_with_the_least_rights() -> None:
    """It may see pods, reach nothing from outside the cluster, and write to its own scratch alone."""
    recording = of_config(stack_file("mesh-platform/Pulumi.metrics.yaml"))
    expected = yaml.safe_load((Path(__file__).parent / "prometheus.yaml").read_text())
    assert recording["ClusterRole prometheus"].inputs["rules"] == expected["rules"]
    assert recording["Service prometheus"].inputs["spec"] == expected["service"]
    assert recording["Deployment prometheus"].inputs["spec"]["template"]["spec"] == expected["pod"]


def test_another_configuration_is_another_pod() -> None:
    """Prometheus reads it when it starts."""
    settings: dict[str, Any] = {"image": "prometheus:1"}
    before, after = platform(prometheus=settings), platform(prometheus={**settings, "interval": "5s"})
    assert _template(before) != _template(after)
    assert _template(before) == _template(platform(prometheus=settings))


def test_prometheus_from_its_public_chart() -> None:
    """The server alone, with our rights and our configuration in place of the chart's."""
    recording = platform(prometheus={**SOURCE, "values": {"server": {"retention": "2d"}}})
    assert recording.keys() == {"kubernetes cluster", *RIGHTS, "Chart prometheus"}
    given = values(recording, "prometheus")
    assert given["rbac"] == {"create": False}
    assert given["server"]["retention"] == "2d"
    assert given["server"]["fullnameOverride"] == "prometheus"
    scraped = {name: job for name, job in given["scrapeConfigs"].items() if job != {"enabled": False}}
    assert scraped.keys() == {"envoy-stats"}
    assert scraped["envoy-stats"]["metric_relabel_configs"] == [
        {"source_labels": ["__name__"], "regex": "istio_.*", "action": "keep"}
    ]


@pytest.mark.parametrize("source", [{"image": "prometheus:1"}, SOURCE])
@pytest.mark.parametrize("stock_envoy", [True, False])
def test_rules_are_for_stock_envoy_alone(source: dict[str, str], stock_envoy: bool) -> None:
    """Istio's own proxies report a request at both ends."""
    recording = platform(prometheus={**source, "stockEnvoy": stock_envoy})
    if "image" in source:
        recorded = yaml.safe_load(recording["ConfigMap prometheus"].inputs["data"]["rules.yml"])
    else:
        recorded = values(recording, "prometheus")["serverFiles"]["recording_rules.yml"]
    assert recorded == (rules() if stock_envoy else {})


def test_istio_and_prometheus_in_one_stack() -> None:
    """On a cluster that has neither, one stack file names both, and the namespace comes first."""
    recording = platform(istio=SOURCE, prometheus=SOURCE)
    assert "Namespace istio-system" in recording.waits_for("Chart prometheus")
    assert "Namespace istio-system" in recording.waits_for("ServiceAccount prometheus")


def test_a_prometheus_that_is_there() -> None:
    """Nothing is installed; the stack exports its address."""
    recording = platform(prometheus={"url": "https://prometheus.example.com"})
    assert recording.keys() == {"kubernetes cluster"}
    assert recording.outputs == {"prometheus": "https://prometheus.example.com"}


@pytest.mark.parametrize(
    "settings",
    [{"interval": "5s"}, {"image": "a", "url": "http://b"}, {"image": "a", **SOURCE}],
)
def test_prometheus_comes_from_one_place(settings: dict[str, object]) -> None:
    """None or two of them is an error."""
    with pytest.raises(pulumi.RunError, match="exactly one of url, image, folder and repository"):
        platform(prometheus=settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"folder": "a", "repository": "b", "version": "1"}, "set exactly one of folder and repository"),
        ({"version": "1.31.0"}, "set exactly one of folder and repository"),
        ({"repository": "b"}, "set version with repository"),
        ({"foldre": "a"}, "istio.foldre: no such key, did you mean folder?"),
        ({"folder": ["a"]}, "istio.folder: ['a'] is no text"),
        ({"folder": "a", "nodePorts": 31380}, "istio.nodePorts: 31380 is no mapping"),
        ("yes", "istio: 'yes' is no mapping of settings"),
    ],
)
def test_an_error_is_reported_before_anything_is_created(settings: object, message: str) -> None:
    """In one message, without a stack trace."""
    with pytest.raises(pulumi.RunError, match="nothing was changed") as error:
        platform(istio=settings)
    assert message in str(error.value)


def test_a_part_that_does_not_exist_is_reported() -> None:
    """Also a key of an older stack file; all mistakes at once."""
    with pytest.raises(pulumi.RunError, match="2 errors") as error:
        platform(itsio=SOURCE, chartFolder="x")
    assert "itsio: no such key, did you mean istio?" in str(error.value)
    assert "chartFolder: no such key" in str(error.value)
