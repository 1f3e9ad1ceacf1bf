"""The metrics of a service, and an error for each cause of missing ones."""

import json
import math
import socket
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from threading import Event, Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.errors import OperationError
from operations.kube.cluster import Cluster
from operations.metrics import transport
from operations.metrics.errors import (
    InvalidSample,
    MetricsError,
    NoData,
    PrometheusUnreachable,
    QueryRejected,
    WrongPrometheusAddress,
)
from operations.metrics.histogram import percentile
from operations.metrics.prometheus import Prometheus
from operations.metrics.queries import Queries, filled
from operations.metrics.service_metrics import MetricsReader
from operations.metrics.transport import AtUrl, InCluster, reach
from operations.pulumi_stack.program import learn
from operations.pulumi_stack.services import MeshService, services_of
from tests.unit.operations.projects import project
from tests.unit.operations.prometheus import Answering, answering, success
from tests.unit.stacks import CART, SHOP, WALKTHROUGH, with_changes

SHOP_SERVICE = MeshService(
    name="shop",
    namespace="shops",
    weights={"v1": 90, "v2": 10},
    deployments={"v1": "shop-v1", "v2": "shop-v2"},
    hosts={"shop": None, "shop-v2": "v2"},
)


@pytest.fixture
def server() -> Iterator[Answering]:
    with answering() as running:
        yield running


@pytest.fixture
def prometheus(server: Answering) -> Prometheus:
    return Prometheus(AtUrl(server.url))


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def test_nobody_listens() -> None:
    """Down: it may come back."""
    with pytest.raises(PrometheusUnreachable, match="does not answer"):
        Prometheus(AtUrl(f"http://127.0.0.1:{closed_port()}")).scalar("1")


@pytest.mark.parametrize("address", ["http://no.such.host.invalid:9090", "ftp://127.0.0.1", "http://:x"])
def test_an_address_that_leads_nowhere(address: str) -> None:
    """The error has the setting: waiting does not help."""
    with pytest.raises(WrongPrometheusAddress, match=r"metrics\.prometheus"):
        Prometheus(AtUrl(address)).scalar("1")


@pytest.mark.parametrize(
    ("status", "text", "kind", "description"),
    [
        (200, "<html>hello</html>", WrongPrometheusAddress, "is not Prometheus"),
        (200, '{"kind": "List"}', WrongPrometheusAddress, "is not Prometheus"),
        (404, "404 page not found", WrongPrometheusAddress, "HTTP 404"),
        (503, "no healthy upstream", PrometheusUnreachable, "no healthy upstream"),
        (503, '{"kind":"Status","message":"no endpoints available"}', PrometheusUnreachable, "no endpoints"),
        (503, '{"status":"error","errorType":"timeout","error":"slow"}', PrometheusUnreachable, "slow"),
        (400, '{"status":"error","errorType":"bad_data","error":"parse error"}', QueryRejected, "parse"),
        (403, "forbidden", QueryRejected, "is denied"),
        (200, success("vector", []), NoData, "no data"),
        (200, success("scalar", [0, "NaN"]), NoData, "no data"),
        (200, success("scalar", [0, "+Inf"]), InvalidSample, "inf"),
        (200, success("scalar", [0, "much"]), InvalidSample, "not a number"),
        (200, success("string", [0, "text"]), InvalidSample, "string"),
        (200, success("matrix", []), InvalidSample, "matrix"),
        (200, success("vector", [{"metric": {}, "value": [0, "1"]}] * 2), InvalidSample, "twice"),
        (
            200,
            success("vector", [{"metric": {"a": each}, "value": [0, "1"]} for each in "bc"]),
            InvalidSample,
            "2 series",
        ),
        (200, '{"status":"success"}', InvalidSample, "not in the format of Prometheus' API"),
        (200, '{"status":"success","data":null}', InvalidSample, "not in the format of Prometheus' API"),
        (200, '{"status":"success","data":[]}', InvalidSample, "not in the format of Prometheus' API"),
        (200, '{"status":"success","data":{"resultType":"vector"}}', InvalidSample, "not in the format"),
        (200, success("vector", None), InvalidSample, "not in the format"),
        (200, success("vector", {"a": 1}), InvalidSample, "not in the format"),
        (200, success("vector", ["a"]), InvalidSample, "not in the format"),
        (200, success("vector", [{"metric": {}}]), InvalidSample, "not in the format"),
        (200, success("vector", [{"metric": [], "value": [0, "1"]}]), InvalidSample, "not in the format"),
        (200, success("vector", [{"metric": {}, "value": []}]), InvalidSample, "not in the format"),
        (200, success("vector", [{"metric": {}, "value": [0, None]}]), InvalidSample, "not a number"),
        (200, success("vector", [{"metric": {}, "value": 1}]), InvalidSample, "not in the format"),
        (200, success("vector", [{"metric": {}, "histogram": [0, {}]}]), InvalidSample, "native histogram"),
        (200, success("scalar", [0]), InvalidSample, "not in the format"),
        (200, '{"status":"error","errorType":["timeout"],"error":{}}', QueryRejected, "rejects"),
        (200, "[" * 100_000, WrongPrometheusAddress, "is not Prometheus"),
        (200, "", WrongPrometheusAddress, "is not Prometheus"),
    ],
)
def test_each_cause_is_told_apart(
    server: Answering, *, status: int, text: str, kind: type[MetricsError], description: str
) -> None:
    """Each has its own type, and the server's answer."""
    server.status, server.text = status, text
    with pytest.raises(MetricsError) as caught:
        Prometheus(AtUrl(server.url)).scalar("up")
    assert type(caught.value) is kind
    assert description in str(caught.value)


def test_a_number(server: Answering, prometheus: Prometheus) -> None:
    """From a scalar or from a vector with one series, at the moment that was asked for."""
    server.text = success("scalar", [0, "2.5"])
    assert prometheus.scalar("x", at=12) == 2.5
    assert server.asked[-1]["time"] == ["12.000"]
    server.text = success("vector", [{"metric": {"a": "b"}, "value": [0, "3"]}])
    assert prometheus.scalar("x") == 3


@pytest.mark.parametrize("result", [None, [{"metric": {}}], [{"metric": {}, "values": [[1]]}], ["a"]])
def test_a_range_that_is_none(server: Answering, prometheus: Prometheus, result: object) -> None:
    """As with one moment."""
    server.text = success("matrix", result)
    with pytest.raises(InvalidSample, match="not in the format of Prometheus' API"):
        prometheus.range("x", start=1, end=6, step=5)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"", PrometheusUnreachable),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", PrometheusUnreachable),
        (
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
            PrometheusUnreachable,
        ),
        (b"SSH-2.0-OpenSSH_9.2\r\n", PrometheusUnreachable),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n\xff\xfe", WrongPrometheusAddress),
        (b"HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n", WrongPrometheusAddress),
    ],
)
def test_an_answer_that_breaks_off_or_is_none(answer: bytes, kind: type[MetricsError]) -> None:
    """What a restart of Prometheus gives may come back; none of it ends a canary."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(1 << 16)
                connection.sendall(answer)

        Thread(target=serve, daemon=True).start()
        with pytest.raises(MetricsError) as caught:
            Prometheus(AtUrl(f"http://127.0.0.1:{listening.getsockname()[1]}")).scalar("up")
    assert type(caught.value) is kind


def test_an_answer_that_never_ends_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Single bytes are no answer either: the time limit is that of the whole answer."""
    monkeypatch.setattr(transport, "SECONDS", 0.5)
    ended = Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection, suppress(OSError):
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
                while not ended.wait(0.05):
                    connection.sendall(b" ")

        Thread(target=serve, daemon=True).start()
        with pytest.raises(PrometheusUnreachable, match="not complete"):
            Prometheus(AtUrl(f"http://127.0.0.1:{listening.getsockname()[1]}")).scalar("up")
        ended.set()


def test_a_range(server: Answering, prometheus: Prometheus) -> None:
    """Points in order, with their times."""
    server.text = success("matrix", [{"metric": {"a": "b"}, "values": [[1, "2"], [6, "NaN"]]}])
    (series,) = prometheus.range("x", start=1, end=6, step=5)
    assert series.labels == {"a": "b"}
    assert series.points[0] == (1.0, 2.0)
    assert math.isnan(series.points[1][1])


def test_the_form_of_the_address_chooses_the_way() -> None:
    """A URL is asked itself, a Service through the API server."""
    cluster = Cluster("lab")
    assert isinstance(reach("http://prometheus.example.com", cluster), AtUrl)
    assert isinstance(reach("istio-system/prometheus:9090", cluster), InCluster)


def test_a_service_is_asked_through_the_api_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """By its path there; a Service that is not there is a wrong address, a cluster that is away is down."""
    cluster, asked = Cluster("lab"), []

    def get(path: str, parameters: dict[str, str], *, seconds: float) -> tuple[int, str]:
        asked.append((path, parameters["query"], seconds))
        return answers.pop()

    def away(*_: object, **__: object) -> None:
        raise OperationError("the cluster does not answer", fix="see why")

    answers = [(404, '{"kind": "Status", "code": 404}'), (200, success("scalar", [0, "7"]))]
    monkeypatch.setattr(cluster, "get", get)
    prometheus = Prometheus(InCluster("monitoring/prometheus:web", cluster))
    assert prometheus.scalar("x") == 7
    assert asked == [("/api/v1/namespaces/monitoring/services/prometheus:web/proxy/api/v1/query", "x", 10)]
    with pytest.raises(WrongPrometheusAddress, match="no Service monitoring/prometheus:web"):
        prometheus.scalar("x")
    monkeypatch.setattr(cluster, "get", away)
    with pytest.raises(PrometheusUnreachable, match="the cluster does not answer"):
        prometheus.scalar("x")


def test_a_port_that_a_service_lacks_is_a_wrong_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """The API server returns 503, as when no pod is ready; waiting does not help."""
    cluster = Cluster("lab")
    said = {"kind": "Status", "code": 503, "message": 'no service port 9091 found for service "prometheus"'}
    monkeypatch.setattr(cluster, "get", lambda *_, **__: (503, json.dumps(said, indent=2)))
    with pytest.raises(WrongPrometheusAddress, match="no Service istio-system/prometheus:9091"):
        Prometheus(InCluster("istio-system/prometheus:9091", cluster)).scalar("1")
    said["message"] = 'no endpoints available for service "prometheus"'
    with pytest.raises(PrometheusUnreachable, match="is down"):
        Prometheus(InCluster("istio-system/prometheus:9091", cluster)).scalar("1")


def test_no_context_is_a_wrong_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting does not help with a missing kubeconfig either."""
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(tmp_path / "none"))
    with pytest.raises(WrongPrometheusAddress, match="no kubeconfig context nowhere"):
        Prometheus(InCluster("istio-system/prometheus:9090", Cluster("nowhere"))).scalar("1")


def test_the_figures_of_each_version(server: Answering, prometheus: Prometheus) -> None:
    """Counts, shares, successes and percentiles; a version without a request has none of the last three."""
    server.vector(
        "istio_requests_total",
        ({"destination_version": "v1", "response_code": "200", "destination_service_name": "shop"}, 70),
        ({"destination_version": "v1", "response_code": "503", "destination_service_name": "shop"}, 10),
        ({"destination_version": "v1", "response_code": "404", "destination_service_name": "shop"}, 10),
        ({"destination_version": "unknown", "response_code": "200", "destination_service_name": "shop"}, 10),
    )
    server.vector("_bucket", *(({"destination_version": "v1", "le": le}, n) for le, n in BUCKETS))
    measured = MetricsReader(prometheus, Queries()).measured(SHOP_SERVICE, window=10)
    assert list(measured.versions) == ["v1", "v2", "unknown"]
    v1, v2 = measured.versions["v1"], measured.versions["v2"]
    assert (v1.requests, v1.failures, v1.rate, v1.share) == (90, 10, 9, 0.9)
    assert v1.success == pytest.approx(8 / 9)
    assert (v1.p50, v1.p90, v1.p99) == pytest.approx((5, 9, 9.9))
    assert (v2.requests, v2.share, v2.success, v2.p50, v2.p99) == (0, 0, None, None, None)
    assert measured.requests == 100


BUCKETS = (("5", 45), ("10", 81 + 9), ("+Inf", 90))


def test_a_service_of_one_version_says_which(server: Answering, prometheus: Prometheus) -> None:
    """With the Gateway API each version has a Service: a request that reached no pod counts there too."""
    server.vector(
        "istio_requests_total",
        ({"destination_service_name": "shop-v2", "response_code": "503"}, 1),
        ({"destination_service_name": "shop", "destination_version": "v2", "response_code": "200"}, 3),
        ({"destination_service_name": "shop", "response_code": "200"}, 4),
    )
    server.vector("_bucket")
    measured = MetricsReader(prometheus, Queries()).measured(SHOP_SERVICE, window=10)
    assert {name: each.requests for name, each in measured.versions.items()} == {
        "v1": 0,
        "v2": 4,
        "unknown": 4,
    }


def test_no_traffic_is_no_error(server: Answering, prometheus: Prometheus) -> None:
    """Zero requests are a value; the rest is unknown."""
    server.text = success("vector", [])
    measured = MetricsReader(prometheus, Queries()).measured(SHOP_SERVICE, window=10)
    assert measured.requests == 0
    assert {each.share for each in measured.versions.values()} == {None}


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-1"])
def test_a_count_that_is_none(server: Answering, prometheus: Prometheus, value: str) -> None:
    """Not taken for zero, nor for a hundred percent."""
    server.vector("istio_requests_total", ({"destination_version": "v1"}, value))
    with pytest.raises(InvalidSample, match="counts"):
        MetricsReader(prometheus, Queries()).measured(SHOP_SERVICE, window=10)


def test_a_bucket_without_a_bound(server: Answering, prometheus: Prometheus) -> None:
    """A custom query without `le` is reported."""
    server.vector("istio_requests_total")
    server.vector("_bucket", ({"destination_version": "v1"}, 3))
    with pytest.raises(InvalidSample, match=r"metrics\.durations"):
        MetricsReader(prometheus, Queries()).measured(SHOP_SERVICE, window=10)


def test_names_and_window_are_filled_in() -> None:
    """And what label_replace writes with `$` stays."""
    query = 'label_replace(x{a="$service",b=~"$services",c="$namespace",d="$version"}[$window], "e", "$1")'
    assert filled(query, SHOP_SERVICE, window=1.5, version="v2") == (
        'label_replace(x{a="shop",b=~"shop|shop-v2",c="shops",d="v2"}[1500ms], "e", "$1")'
    )


def test_the_stack_file_says_where_and_what(tmp_path: Path) -> None:
    """The address and queries of the stack file; Istio's standard metrics by default."""
    own = {"prometheus": "https://metrics.example.com/p", "requests": "sum(x[$window])"}
    given = project(tmp_path, "own", with_changes(metrics=own))
    assert json.loads(given.config("own").values["mesh-app:metrics"]) == own
    queries = Queries.of(given, "own")
    assert (queries.prometheus, queries.requests) == (own["prometheus"], own["requests"])
    assert queries.durations == Queries().durations


def test_services_by_what_the_program_declares(tmp_path: Path) -> None:
    """One at the top of the file, or several; with the Gateway API each version's Service too."""
    one = services_of(learn(project(tmp_path, "one", WALKTHROUGH), "one"))
    assert one == (
        MeshService(
            name="springbootapp",
            namespace="springistiodemo",
            weights={"v1": 100, "v2": 0},
            deployments={"v1": "springbootapp-v1", "v2": "springbootapp-v2"},
            hosts={"springbootapp": None},
        ),
    )
    common = {key: WALKTHROUGH[key] for key in WALKTHROUGH if "kubernetes" in key or ":namespace" in key}
    several = {**common, "mesh-app:services": {"shop": SHOP, "cart": CART}, "mesh-app:api": "gateway-api"}
    folder = tmp_path / "several"
    folder.mkdir()
    cart, shop = services_of(learn(project(folder, "two", several), "two"))
    assert (cart.name, cart.weights) == ("cart", {"blue": 0, "green": 100})
    assert (shop.name, shop.weights) == ("shop", {"v1": 90, "v2": 10})
    assert shop.hosts == {"shop": None, "shop-v1": "v1", "shop-v2": "v2"}


@given(st.lists(st.floats(0, 12), min_size=1, max_size=200), st.floats(0.01, 1))
def test_a_percentile_lies_in_the_bucket_of_the_true_one(values: list[float], share: float) -> None:
    """For whatever was observed: the estimate is never a bucket away from the truth."""
    bounds = [1.0, 2.0, 5.0, 10.0]
    buckets = {bound: float(sum(v <= bound for v in values)) for bound in [*bounds, math.inf]}
    true = sorted(values)[max(math.ceil(share * len(values)), 1) - 1]
    estimate = percentile(buckets, share)
    assert estimate is not None
    edges = [0.0, *bounds, math.inf]
    (low, high) = next((a, b) for a, b in pairwise(edges) if true <= b)
    assert min(low, 10) <= estimate <= min(high, 10)


def test_no_percentile_of_nothing() -> None:
    """An empty histogram has no median."""
    assert percentile({}, 0.5) is None
    assert percentile({1.0: 0.0, math.inf: 0.0}, 0.5) is None
