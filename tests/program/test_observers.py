"""What shows the mesh: Kiali, Jaeger and tracing, as the platform's program makes them."""

from pathlib import Path

import pulumi
import pytest
import yaml

from tests.program.recorder import Recording, stack_file
from tests.program.test_platform import SOURCE, of_config, platform, values

RIGHTS = {"ServiceAccount kiali", "ClusterRole kiali", "ClusterRoleBinding kiali"}
IMAGE = {"image": "an/image:1"}


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
    """Only the lab's stack lets in whoever comes."""
    assert "auth" not in configuration(platform(kiali=IMAGE))
    assert configuration(platform(kiali=IMAGE))["deployment"] == {"view_only_mode": True}


def configuration(recording: Recording) -> dict[str, object]:
    """Kiali's own configuration."""
    found: dict[str, object] = yaml.safe_load(recording["ConfigMap kiali"].inputs["data"]["config.yaml"])
    return found


def test_kiali_knows_of_jaeger_where_there_is_one() -> None:
    """In this stack, or at a URL; without one it does not look for traces."""
    for jaeger, tracing in (
        ({}, {"enabled": False}),
        (
            IMAGE,
            {"enabled": True, "in_cluster_url": "http://jaeger-query.istio-system:16685/", "use_grpc": True},
        ),
        (
            {"url": "https://jaeger.example.com"},
            {"enabled": True, "in_cluster_url": "https://jaeger.example.com", "use_grpc": False},
        ),
    ):
        services = configuration(platform(kiali=IMAGE, jaeger=jaeger))["external_services"]
        assert isinstance(services, dict)
        assert services["tracing"] == tracing


def test_from_public_charts() -> None:
    """With the same settings, laid over by the stack's own."""
    recording = platform(
        kiali={**SOURCE, "values": {"auth": {"strategy": "openid"}}},
        jaeger={**SOURCE, "values": {"allInOne": {"image": {"tag": "1.76.0"}}}},
    )
    assert recording.keys() == {"kubernetes cluster", "Chart kiali-server", "Chart jaeger"}
    assert values(recording, "kiali-server")["auth"] == {"strategy": "openid"}
    assert values(recording, "kiali-server")["deployment"] == {"view_only_mode": True}
    assert values(recording, "jaeger")["allInOne"] == {"enabled": True, "image": {"tag": "1.76.0"}}
    assert values(recording, "jaeger")["provisionDataStore"] == {"cassandra": False}


def test_those_that_are_there() -> None:
    """Nothing is installed; the stack tells where they are."""
    recording = platform(
        kiali={"url": "https://kiali.example.com"}, jaeger={"url": "https://jaeger.example.com"}
    )
    assert recording.keys() == {"kubernetes cluster"}
    assert recording.outputs == {"kiali": "https://kiali.example.com", "jaeger": "https://jaeger.example.com"}


@pytest.mark.parametrize(
    ("part", "settings", "said"),
    [
        ("kiali", {"loopbackPort": 1}, "kiali: set exactly one of url, image, folder and repository"),
        (
            "kiali",
            {**IMAGE, "url": "http://a"},
            "kiali: set exactly one of url, image, folder and repository",
        ),
        ("jaeger", {**SOURCE, "loopbackPort": 16686}, "jaeger: loopbackPort goes with image"),
        ("jaeger", {"repository": "https://a"}, "jaeger: set version with repository"),
        ("tracing", {"sampling": 0}, "tracing: sampling: 0 is no percentage"),
        ("tracing", {"sampling": 101}, "tracing: sampling: 101 is no percentage"),
        ("tracing", {"sampling": "all"}, "tracing.sampling: 'all' is no number"),
    ],
)
def test_a_mistake_is_told(part: str, settings: dict[str, object], said: str) -> None:
    """Before anything is made."""
    with pytest.raises(pulumi.RunError, match="nothing was changed") as told:
        platform(**{part: settings})
    assert said in str(told.value)


def test_a_share_of_a_percent_is_traced() -> None:
    """As a mesh with much traffic wants it."""
    (tracing,) = platform(tracing={"sampling": 0.5})["Telemetry tracing"].inputs["spec"]["tracing"]
    assert tracing["randomSamplingPercentage"] == 0.5
