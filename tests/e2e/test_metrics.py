"""Prometheus on the lab counts what was sent, to the request: by version, from gateway and callers."""

import shlex
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
import yaml
from kubernetes.config import kube_config

from bench import load
from bench.changes import base
from operations.kube.cluster import Cluster
from operations.metrics.errors import PrometheusUnreachable, QueryRejected, WrongPrometheusAddress
from operations.metrics.prometheus import Prometheus
from operations.metrics.service_metrics import MetricsReader
from operations.metrics.transport import InCluster
from operations.pulumi_stack.program import learn
from operations.pulumi_stack.project import Project
from operations.pulumi_stack.services import services_of
from tests.e2e.conftest import CHECKOUT, Shell, Stack, lab, stacks_in

NAMESPACE = "e2e-metrics"
SERVICE = f"springbootapp.{NAMESPACE}.svc.cluster.local"
HOST = f"{SERVICE}:8080"
OUTSIDE = f"{NAMESPACE}.example.com"
INGRESS = "http://127.0.0.1:31380/hello"
GATEWAY, CALLER = "istio-ingressgateway", load.CLIENT

RATE = 40
"""Requests a second from each side."""
SECONDS = 12
SCRAPED_SECONDS = 8
"""After so long what happened is in Prometheus: it scrapes every 2 s."""

Counts = Counter[tuple[str, str, str]]
"""Requests by source workload, destination version and status."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Two versions, a caller in the mesh, and Prometheus."""
    lab("metrics")
    with stacks_in(tmp_path_factory.mktemp("metrics")) as make:
        made = make("metrics", **{**base(NAMESPACE), "weights": {"v1": 70, "v2": 30}})
        made.up()
        with load.client(NAMESPACE):
            time.sleep(SCRAPED_SECONDS)  # until the new proxies are found
            yield made


@pytest.fixture
def cluster(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """The lab, as `python -m operations` reaches it after `source .lab/env`."""
    kubeconfig = stack.shell.run('printf %s "$KUBECONFIG"').stdout
    monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", kubeconfig)
    return Cluster("lab")


def ask(shell: Shell, query: str) -> list[dict[str, Any]]:
    """Query Prometheus through the API server, as kubectl does."""
    path = "/api/v1/namespaces/istio-system/services/prometheus:9090/proxy/api/v1/query"
    words = urlencode({"query": query})
    answer = shell.json(f"kubectl get --raw {shlex.quote(f'{path}?{words}')}")
    found: list[dict[str, Any]] = answer["data"]["result"]
    return found


def counted(shell: Shell, metric: str = "istio_requests_total", reporter: str = "source") -> Counts:
    """Read what Prometheus has counted so far."""
    time.sleep(SCRAPED_SECONDS)
    labels = ("source_workload", "destination_version", "response_code")
    series = f'{metric}{{reporter="{reporter}",destination_service="{SERVICE}"}}'
    answers = ask(shell, f"sum by ({', '.join(labels)}) ({series})")
    found: Counts = Counter()
    for each in answers:
        source, version, code = (each["metric"].get(label, "") for label in labels)
        found[source, version, code] = int(each["value"][1])
    return found


def send() -> dict[str, load.Report]:
    """Ask from both sides for some seconds; every request is answered well."""
    outside = load.Load(INGRESS, rate=RATE, host=OUTSIDE)
    inside = load.Load(f"http://{HOST}/hello", rate=RATE, host=HOST, namespace=NAMESPACE)
    with outside, inside:
        time.sleep(SECONDS)
    reports = {GATEWAY: outside.report, CALLER: inside.report}
    assert {source: report.failed for source, report in reports.items()} == {GATEWAY: 0, CALLER: 0}
    return reports


def test_every_request_is_counted_once_with_its_version(stack: Stack) -> None:
    """From the gateway and from a caller's sidecar: as many as were answered, by version."""
    before = counted(stack.shell)
    reports = send()
    assert counted(stack.shell) - before == Counter(
        {
            (source, version, "200"): report.answers[version]
            for source, report in reports.items()
            for version in ("v1", "v2")
        }
    )


def test_every_request_has_a_duration(stack: Stack) -> None:
    """The histogram counts what the counter counts."""
    requests, durations = (
        counted(stack.shell),
        counted(stack.shell, "istio_request_duration_milliseconds_count"),
    )
    assert sum(requests.values()) == sum(durations.values()) > 0


@pytest.mark.parametrize("metric", ["istio_requests_total", "istio_request_duration_milliseconds_bucket"])
def test_both_ends_tell_the_same(stack: Stack, metric: str) -> None:
    """Nothing is asked meanwhile: what a reader of one end finds is what one of the other does."""
    assert counted(stack.shell, metric) == counted(stack.shell, metric, "destination") != Counter()


@pytest.mark.parametrize("reporter", ["source", "destination"])
def test_both_ends_of_a_hop_are_named(stack: Stack, reporter: str) -> None:
    """By the labels that Kiali and Istio's dashboards read."""
    of_hop = f'source_workload="{CALLER}",destination_service="{SERVICE}",reporter="{reporter}"'
    query = f"istio_requests_total{{{of_hop}}}"
    (found,) = [
        each["metric"]
        for each in ask(stack.shell, query)
        if each["metric"]["destination_version"] == "v2" and each["metric"]["response_code"] == "200"
    ]
    expected = Path(__file__).parent / "expected/request_from_the_mesh.yaml"
    of_the_run = ("pod", "instance")
    assert {key: value for key, value in found.items() if key not in of_the_run} == {
        **yaml.safe_load(expected.read_text()),
        "reporter": reporter,
    }


def test_what_operations_read(stack: Stack, cluster: Cluster) -> None:
    """Shares, success and percentiles of each version, as canary and traffic have them."""
    project = Project.at(stack.shell.folder)
    (service,) = services_of(learn(project, stack.name))
    reports = send()
    time.sleep(SCRAPED_SECONDS)
    metrics = MetricsReader.of(project, stack.name, cluster).measured(
        service, window=SECONDS + 2 * SCRAPED_SECONDS
    )
    sent = sum(report.requests for report in reports.values())
    assert metrics.requests == pytest.approx(sent, rel=0.2)
    for version in ("v1", "v2"):
        of_version = metrics.versions[version]
        answered = sum(report.answers[version] for report in reports.values())
        assert of_version.share == pytest.approx(answered / sent, abs=0.05)
        assert of_version.success == 1
        assert of_version.p50 is not None
        assert of_version.p99 is not None
        # One request in 400 takes 3 s, and no more.
        assert 0 < of_version.p50 <= of_version.p99 < 5000


def test_a_version_without_pods_has_its_failures(stack: Stack) -> None:
    """What no pod answered is counted for the version that should have."""
    stack.configure(weights={"v1": 0, "v2": 100})
    stack.up()
    scale = f"kubectl scale deployment springbootapp-v2 -n {NAMESPACE} --replicas"
    stack.shell.run(f"{scale}=0 && kubectl wait pod -l version=v2 -n {NAMESPACE} --for=delete --timeout=120s")
    before = counted(stack.shell)
    with httpx.Client(trust_env=False, headers={"host": OUTSIDE}) as client:
        codes = Counter(str(client.get(INGRESS).status_code) for _ in range(20))
    assert counted(stack.shell) - before == Counter({(GATEWAY, "v2", code): n for code, n in codes.items()})
    assert codes == {"503": 20}
    stack.shell.run(f"{scale}=2 && kubectl rollout status deployment/springbootapp-v2 -n {NAMESPACE}")
    stack.configure(weights={"v1": 70, "v2": 30})
    stack.up()


def test_callers_outside_the_routes_have_no_version(stack: Stack) -> None:
    """A caller that does not follow the routes asks any pod: counted, and of no version."""
    stack.configure(mesh=False)
    stack.up()
    before = counted(stack.shell)
    reports = send()
    of_caller = {key: n for key, n in (counted(stack.shell) - before).items() if key[0] == CALLER}
    assert of_caller == {(CALLER, "unknown", "200"): reports[CALLER].requests}
    stack.configure(mesh=True)
    stack.up()


def test_down_wrong_and_refused_are_told_apart(stack: Stack, cluster: Cluster) -> None:
    """By the errors that a canary waits for, or stops at."""
    stack.shell.run(f"kubectl create service clusterip nobody --tcp=9090 -n {NAMESPACE}")
    for address, error in (
        (f"{NAMESPACE}/nobody:9090", PrometheusUnreachable),
        ("istio-system/prometeus:9090", WrongPrometheusAddress),
        ("istio-system/prometheus:9091", WrongPrometheusAddress),
        ("istio-system/istiod:15014", WrongPrometheusAddress),
    ):
        with pytest.raises(error):
            Prometheus(InCluster(address, cluster)).scalar("1")
    there = Prometheus(InCluster("istio-system/prometheus:9090", cluster))
    assert there.scalar("1") == 1
    with pytest.raises(QueryRejected):
        there.scalar("sum(")


@pytest.mark.parametrize(
    ("what", "may"),
    [
        ("list pods --all-namespaces", True),
        ("watch pods --all-namespaces", True),
        ("create pods --all-namespaces", False),
        ("get pods --subresource=log --all-namespaces", False),
        ("get secrets --all-namespaces", False),
        ("list configmaps -n istio-system", False),
        ("list nodes", False),
        ("get nodes --subresource=proxy", False),
        ("list services --all-namespaces", False),
    ],
)
def test_prometheus_may_see_pods_and_nothing_else(stack: Stack, what: str, may: bool) -> None:
    """Its account, as the API server judges."""
    account = "system:serviceaccount:istio-system:prometheus"
    said = stack.shell.run(f"kubectl auth can-i {what} --as={account}", check=False).stdout
    assert said.splitlines()[-1] == ("yes" if may else "no")


@pytest.mark.usefixtures("stack")
def test_once_more_is_no_change() -> None:
    """Neither to Istio nor to Prometheus, and the cluster has what the stack declares."""
    said = lab("metrics").stdout
    updates = [line for line in said.splitlines() if line.startswith("✓ pulumi up")]
    assert len(updates) > 1
    assert all("no change" in line for line in updates), updates
    platform = Shell(folder=CHECKOUT / "mesh-platform")
    platform.run("pulumi preview --stack metrics --expect-no-changes --non-interactive")
    platform.run(
        "pulumi refresh --stack metrics --preview-only --expect-no-changes --run-program --non-interactive"
    )
