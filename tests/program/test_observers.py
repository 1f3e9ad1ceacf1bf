"""What shows the mesh: Kiali, Jaeger and tracing, as the platform's program makes them."""

from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from tests.program.recorder import Recording, stack_file
from tests.program.test_platform import SOURCE, of_config, platform, values

RIGHTS = {
    "ServiceAccount kiali",
    "ClusterRole kiali",
    "ClusterRoleBinding kiali",
    "Role kiali-istiod",
    "RoleBinding kiali-istiod",
}
IMAGE = {"image": "an/image:1"}
REPOSITORY = {"repository": SOURCE["repository"]}


@pytest.fixture
def lab() -> Recording:
    """The lab's stack."""
    return of_config(stack_file("mesh-platform/Pulumi.observe.yaml"))


def test_the_labs_observers(lab: Recording) -> None:
    """Neither Istio nor Prometheus is of this stack: what `make up` brought stays as it is."""
    assert lab.keys() == {
        "kubernetes cluster",
        *RIGHTS,
        "ConfigMap kiali",
        "Deployment kiali",
        "Service kiali",
        "Deployment jaeger",
        "Service jaeger-collector",
        "Service jaeger-query",
        "Telemetry tracing",
    }
    assert lab.outputs == {"kiali": "http://127.0.0.1:20001/kiali", "jaeger": "http://127.0.0.1:16686"}


def test_objects_of_the_lab(lab: Recording) -> None:
    """Pods that may write nowhere, Services of the cluster alone, rights to read and no others."""
    expected = yaml.safe_load((Path(__file__).parent / "observers.yaml").read_text())
    assert lab["ClusterRole kiali"].inputs["rules"] == expected["kiali"]["rules"]
    assert lab["Role kiali-istiod"].inputs["rules"] == expected["kiali"]["ofIstiod"]
    assert yaml.safe_load(lab["ConfigMap kiali"].inputs["data"]["config.yaml"]) == expected["kiali"]["config"]
    for name in ("kiali", "jaeger"):
        assert lab[f"Deployment {name}"].inputs["spec"]["template"]["spec"] == expected[name]["pod"]
    for name, spec in expected["services"].items():
        assert lab[f"Service {name}"].inputs["spec"] == spec
    assert lab["Telemetry tracing"].inputs["spec"] == expected["telemetry"]


def test_kialis_account_comes_before_its_pod(lab: Recording) -> None:
    """It ends where it may not read."""
    assert lab.waits_for("Deployment kiali") >= {*RIGHTS, "ConfigMap kiali"}


def test_nothing_listens_outside_the_cluster_unless_the_stack_says_so() -> None:
    """Without a loopback port there is no port of the node at all."""
    recording = platform(kiali=IMAGE, jaeger=IMAGE)
    for name in ("kiali", "jaeger"):
        (container,) = recording[f"Deployment {name}"].inputs["spec"]["template"]["spec"]["containers"]
        assert all("hostPort" not in port for port in container["ports"])
    assert recording.outputs == {
        "kiali": "istio-system/kiali:20001",
        "jaeger": "istio-system/jaeger-query:16686",
    }


def test_kiali_asks_for_a_token_unless_the_stack_says_otherwise() -> None:
    """Only the lab's stack allows anonymous users."""
    assert "auth" not in configuration(platform(kiali=IMAGE))
    assert configuration(platform(kiali=IMAGE))["deployment"] == {"view_only_mode": True}


def configuration(recording: Recording) -> dict[str, object]:
    """Kiali's own configuration."""
    found: dict[str, object] = yaml.safe_load(recording["ConfigMap kiali"].inputs["data"]["config.yaml"])
    return found


@pytest.mark.parametrize(
    ("jaeger", "tracing"),
    [
        ({}, {"enabled": False}),
        (
            IMAGE,
            {
                "enabled": True,
                "in_cluster_url": "http://jaeger-query.istio-system:16685/",
                "internal_url": "http://jaeger-query.istio-system:16685/",
                "use_grpc": True,
            },
        ),
        (
            {"url": "https://jaeger.example.com"},
            {
                "enabled": True,
                "in_cluster_url": "https://jaeger.example.com",
                "internal_url": "https://jaeger.example.com",
                "url": "https://jaeger.example.com",
                "external_url": "https://jaeger.example.com",
                "use_grpc": False,
            },
        ),
    ],
)
def test_kiali_knows_of_jaeger_where_there_is_one(jaeger: dict[str, str], tracing: dict[str, object]) -> None:
    """In this stack, or at a URL, with the keys of both Kialis; without Jaeger, tracing is disabled."""
    assert services(platform(kiali=IMAGE, jaeger=jaeger))["tracing"] == tracing


def services(recording: Recording) -> dict[str, Any]:
    """Kiali's configuration for the other parts."""
    found: Any = configuration(recording)["external_services"]
    return dict(found)


def test_kiali_and_grafana_ask_the_prometheus_of_the_stack_file(dashboards: str) -> None:
    """The one that is there already as much as the one that is made."""
    for prometheus, url in (
        ({}, "http://prometheus.istio-system:9090"),
        ({"url": "https://prometheus.example.com"}, "https://prometheus.example.com"),
    ):
        recording = platform(prometheus=prometheus, kiali=IMAGE, grafana={**IMAGE, "dashboards": dashboards})
        assert services(recording)["prometheus"] == {"url": url}
        settings = recording["ConfigMap grafana"].inputs["data"]["datasources.yaml"]
        (source,) = yaml.safe_load(settings)["datasources"]
        assert source["url"] == url


def test_from_public_charts() -> None:
    """With the same settings, laid over by the stack's own; at a version that stays the same."""
    recording = platform(
        kiali={**REPOSITORY, "values": {"auth": {"strategy": "openid"}}},
        jaeger={**REPOSITORY, "values": {"allInOne": {"image": {"tag": "1.76.0"}}}},
    )
    assert recording.keys() == {"kubernetes cluster", "Chart kiali-server", "Chart jaeger"}
    assert values(recording, "kiali-server")["auth"] == {"strategy": "openid"}
    assert values(recording, "kiali-server")["deployment"] == {"view_only_mode": True}
    assert values(recording, "jaeger")["allInOne"] == {
        "enabled": True,
        "service": {"headless": False},
        "image": {"tag": "1.76.0"},
    }
    assert values(recording, "jaeger")["provisionDataStore"] == {"cassandra": False}


@pytest.mark.parametrize(
    ("part", "chart", "version"),
    [
        ("prometheus", "prometheus", "28.13.0"),
        ("grafana", "grafana", "9.2.2"),
        ("jaeger", "jaeger", "3.4.1"),
        ("kiali", "kiali-server", "2.27.0"),
    ],
)
def test_a_charts_version_is_pinned(part: str, chart: str, version: str, dashboards: str) -> None:
    """Unless the stack file sets another: the values were written for these versions."""
    settings = {**REPOSITORY, **({"dashboards": dashboards} if part == "grafana" else {})}
    assert platform(**{part: settings})[f"Chart {chart}"].inputs["version"] == version
    other = platform(**{part: {**settings, "version": "99.0.0"}})
    assert other[f"Chart {chart}"].inputs["version"] == "99.0.0"


@pytest.fixture
def dashboards(tmp_path: Path) -> str:
    """Two of Istio's dashboards, as samples/addons/grafana.yaml of a release has them among other objects."""
    objects = [
        {"kind": "Service", "metadata": {"name": "grafana"}},
        {"kind": "ConfigMap", "metadata": {"name": "grafana"}, "data": {"grafana.ini": ""}},
        {"kind": "ConfigMap", "metadata": {"name": "istio"}, "data": {"pilot.json": "{}", "mesh.json": "{}"}},
    ]
    file = tmp_path / "grafana.yaml"
    file.write_text(yaml.safe_dump_all(objects))
    return str(file)


def test_grafana_shows_istios_dashboards(dashboards: str) -> None:
    """Anonymous users may read, and there is no login; it gets no token."""
    recording = platform(grafana={**IMAGE, "dashboards": dashboards}, kiali=IMAGE)
    assert {key for key in recording.keys() if "kiali" not in key} == {  # noqa: SIM118 (no mapping)
        "kubernetes cluster",
        "ConfigMap grafana",
        "ConfigMap istio",
        "Deployment grafana",
        "Service grafana",
    }
    assert recording["ConfigMap istio"].inputs["data"] == {"pilot.json": "{}", "mesh.json": "{}"}
    expected = yaml.safe_load((Path(__file__).parent / "grafana.yaml").read_text())
    assert recording["Deployment grafana"].inputs["spec"]["template"]["spec"] == expected["pod"]
    assert recording["Service grafana"].inputs["spec"] == expected["service"]
    assert services(recording)["grafana"] == {
        "enabled": True,
        "in_cluster_url": "http://grafana.istio-system:3000",
        "internal_url": "http://grafana.istio-system:3000",
    }


def test_grafana_from_its_chart_has_the_same_dashboards(dashboards: str) -> None:
    """From the same ConfigMaps, read-only; the chart gets no rights, and generates no password."""
    recording = platform(grafana={**REPOSITORY, "dashboards": dashboards})
    assert recording.keys() == {"kubernetes cluster", "ConfigMap istio", "Chart grafana"}
    expected = yaml.safe_load((Path(__file__).parent / "grafana.yaml").read_text())
    assert values(recording, "grafana") == expected["values"]


def test_those_that_are_there() -> None:
    """Nothing is installed; the stack exports their addresses."""
    urls = {part: f"https://{part}.example.com" for part in ("prometheus", "grafana", "jaeger", "kiali")}
    recording = platform(**{part: {"url": url} for part, url in urls.items()})
    assert recording.keys() == {"kubernetes cluster"}
    assert recording.outputs == urls


@pytest.mark.parametrize(
    ("part", "settings", "message"),
    [
        ("kiali", {"loopbackPort": 1}, "kiali: set exactly one of url, image, folder and repository"),
        (
            "kiali",
            {**IMAGE, "url": "http://a"},
            "kiali: set exactly one of url, image, folder and repository",
        ),
        ("jaeger", {**SOURCE, "loopbackPort": 16686}, "jaeger: loopbackPort needs image"),
        ("grafana", IMAGE, "grafana: dashboards: '' is no file with Istio's dashboards"),
        ("tracing", {"sampling": 0}, "tracing: sampling: 0 is no percentage"),
        ("tracing", {"sampling": 101}, "tracing: sampling: 101 is no percentage"),
        ("tracing", {"sampling": "all"}, "tracing.sampling: 'all' is no number"),
    ],
)
def test_an_error_is_reported(part: str, settings: dict[str, object], message: str) -> None:
    """Before anything is made."""
    with pytest.raises(pulumi.RunError, match="nothing was changed") as error:
        platform(**{part: settings})
    assert message in str(error.value)


def test_a_share_of_a_percent_is_traced() -> None:
    """As a mesh with much traffic wants it."""
    (tracing,) = platform(tracing={"sampling": 0.5})["Telemetry tracing"].inputs["spec"]["tracing"]
    assert tracing["randomSamplingPercentage"] == 0.5
