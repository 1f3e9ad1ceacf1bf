"""What `python -m operations traffic` shows, with a Prometheus and a cluster of the test's own."""

import io
import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from operations.errors import OperationError
from operations.kube.cluster import Cluster
from operations.pulumi_stack.project import Project
from operations.traffic.command import Request, traffic
from tests.unit.operations.projects import project
from tests.unit.operations.prometheus import Answering, answering
from tests.unit.stacks import CART, SHOP, WALKTHROUGH, with_changes

SEVERAL = {
    **{key: WALKTHROUGH[key] for key in WALKTHROUGH if "kubernetes" in key or ":namespace" in key},
    "mesh-app:services": {"shop": SHOP, "cart": CART},
}


@pytest.fixture
def server() -> Iterator[Answering]:
    """90 % for v1, all good; 10 % for v2, a tenth of it bad, and slower."""
    with answering() as running:
        running.vector(
            "istio_requests_total",
            ({"destination_version": "v1", "response_code": "200"}, 540),
            ({"destination_version": "v2", "response_code": "200"}, 54),
            ({"destination_version": "v2", "response_code": "503"}, 6),
        )
        running.vector(
            "_bucket",
            *(({"destination_version": "v1", "le": le}, 540) for le in ("10", "100", "+Inf")),
            *(
                ({"destination_version": "v2", "le": le}, n)
                for le, n in (("10", 0), ("100", 60), ("+Inf", 60))
            ),
        )
        yield running


@pytest.fixture(autouse=True)
def deployments(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[int, str]]:
    """The API server's answers for Deployments by name; others do not exist."""
    said = {"springbootapp-v1": ready(2, 2), "springbootapp-v2": ready(0, 1)}

    def get(_: Cluster, path: str, __: object, *, seconds: float) -> tuple[int, str]:
        assert seconds < 10
        return said.get(path.rpartition("/")[2], (404, "{}"))

    monkeypatch.setattr(Cluster, "get", get)
    return said


def ready(count: int, wanted: int) -> tuple[int, str]:
    return 200, json.dumps(
        {"spec": {"replicas": wanted}, "status": {"readyReplicas": count} if count else {}}
    )


def walkthrough(folder: Path, server: str) -> Project:
    weights = {"v1": 90, "v2": 10}
    return project(folder, "dev", with_changes(weights=weights, metrics={"prometheus": server}))


def seen(given: Project, **request: Any) -> tuple[int, str]:  # noqa: ANN401 - fields of a request
    output = io.StringIO()
    status = traffic(given, Request(stack="dev", **request), Console(file=output, width=160))
    return status, output.getvalue()


def test_a_person_sees_what_each_version_should_get_gets_and_answers(
    tmp_path: Path, server: Answering
) -> None:
    """A row for each version."""
    status, said = seen(walkthrough(tmp_path, server.url))
    assert status == 0
    rows = {row[1]: row[2:-1] for row in (line.split("│") for line in said.splitlines()) if len(row) > 3}
    cells = {name.strip(): [cell.strip() for cell in row] for name, row in rows.items()}
    assert cells == {
        "v1": ["90 %", "90.0 %", "9.0", "100.00 %", "5 ms", "9 ms", "10 ms", "2 of 2"],
        "v2": ["10 %", "10.0 %", "1.0", "90.00 %", "55 ms", "91 ms", "99 ms", "0 of 1"],
    }
    assert "springistiodemo/springbootapp, the last 60 s" in said


def test_a_machine_gets_the_same(
    tmp_path: Path, server: Answering, capsys: pytest.CaptureFixture[str]
) -> None:
    """The documented form."""
    assert seen(walkthrough(tmp_path, server.url), json=True) == (0, "")
    document = json.loads(capsys.readouterr().out)
    assert (document["schema"], document["stack"], document["window"]) == (1, "dev", 60)
    (service,) = document["services"]
    assert (service["service"], service["namespace"], service["why"]) == (
        "springbootapp",
        "springistiodemo",
        None,
    )
    assert service["versions"][1] == {
        "version": "v2",
        "weight": 10,
        "share": 0.1,
        "requests": 60,
        "rate": 1,
        "success": 0.9,
        "p50": 55,
        "p90": 91,
        "p99": pytest.approx(99.1),
        "pods": {"ready": 0, "wanted": 1},
    }


def test_no_traffic_is_said_and_is_no_failure(tmp_path: Path, server: Answering) -> None:
    """Weights and pods are there all the same."""
    server.vector("istio_requests_total")
    server.vector("_bucket")
    status, said = seen(walkthrough(tmp_path, server.url))
    assert status == 0
    assert "no requests within 60 s" in said
    assert "90 %" in said
    assert "2 of 2" in said


def test_without_prometheus_the_reason_stands_where_the_figures_would(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Weights and pods are shown with the fix; the exit code reports missing metrics."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        unused = f"http://127.0.0.1:{free.getsockname()[1]}"
    given = walkthrough(tmp_path, unused)
    status, said = seen(given)
    assert status == 1
    assert f"Prometheus at {unused} does not answer" in said
    assert "metrics.prometheus" in said
    assert "2 of 2" in said
    assert seen(given, json=True)[0] == 1
    (service,) = json.loads(capsys.readouterr().out)["services"]
    assert service["why"]["cause"] == "PrometheusUnreachable"
    assert [each["share"] for each in service["versions"]] == [None, None]


def test_what_reached_no_pod_has_a_row_of_its_own(tmp_path: Path, server: Answering) -> None:
    """Requests that a proxy answered in the place of every version."""
    server.vector("istio_requests_total", ({"destination_version": "unknown", "response_code": "503"}, 6))
    _, said = seen(walkthrough(tmp_path, server.url))
    assert "unknown" in said
    assert "100.0 %" in said


def test_a_cluster_that_does_not_say_is_no_version_without_pods(
    tmp_path: Path, server: Answering, deployments: dict[str, tuple[int, str]]
) -> None:
    """Not known is another word than none; a Deployment that is not there has none."""
    deployments["springbootapp-v1"] = (403, "forbidden")
    del deployments["springbootapp-v2"]
    _, said = seen(walkthrough(tmp_path, server.url))
    assert "unknown" in said
    assert "0 of 0" in said


def test_several_services_or_one_of_them(tmp_path: Path, server: Answering) -> None:
    """Each has a table; one that is not there is named with those that are."""
    given = project(tmp_path, "dev", {**SEVERAL, "mesh-app:metrics": {"prometheus": server.url}})
    assert [name for name in ("/cart,", "/shop,") if name in seen(given)[1]] == ["/cart,", "/shop,"]
    assert "/cart," not in seen(given, service="shop")[1]
    with pytest.raises(OperationError, match="no service card; it has cart, shop"):
        seen(given, service="card")


def watching(given: Project, *between: Callable[[], object], **request: Any) -> str:  # noqa: ANN401
    """Watch, with an event after each sample; the last one is Ctrl-C."""
    happens = iter(between)

    def rest(_: float) -> None:
        what = next(happens, None)
        if what is None:
            raise KeyboardInterrupt
        what()

    output = io.StringIO()
    console = Console(file=output, width=160)
    assert traffic(given, Request(stack="dev", watch=True, **request), console, rest) == 0
    return output.getvalue()


def test_watching_follows_the_stack_file(
    tmp_path: Path, server: Answering, capsys: pytest.CaptureFixture[str]
) -> None:
    """A canary writes its weights there. An invalid file is reported, and the last valid one counts."""
    given = walkthrough(tmp_path, server.url)
    file = given.stack_file("dev")
    text = file.read_text()

    def step() -> None:
        file.write_text(text.replace("v1: 90", "v1: 75").replace("v2: 10", "v2: 25"))

    def slip() -> None:
        file.write_text(text.replace("v1: 90", "v1: 91"))

    assert watching(given, step, slip, json=True) == ""
    said = capsys.readouterr()
    samples = [json.loads(line)["services"][0]["versions"] for line in said.out.splitlines()]
    assert [[version["weight"] for version in sample] for sample in samples] == [[90, 10], [75, 25], [75, 25]]
    assert "101" in said.err


def test_watching_goes_on_while_prometheus_is_away(tmp_path: Path, server: Answering) -> None:
    """Each sample shows what is known."""

    def falls() -> None:
        server.vectors.clear()
        server.status = 503

    said = watching(walkthrough(tmp_path, server.url), falls, lambda: None)
    assert said.count("springistiodemo/springbootapp") == 3
    assert said.count("is down") == 2


def test_on_a_terminal_the_picture_changes_in_its_place(tmp_path: Path, server: Answering) -> None:
    """The error of the stack file is below it."""
    given = walkthrough(tmp_path, server.url)
    file = given.stack_file("dev")
    output = io.StringIO()

    def rest(_: float) -> None:
        if "101" in output.getvalue():
            raise KeyboardInterrupt
        file.write_text(file.read_text().replace("v1: 90", "v1: 91"))

    console = Console(file=output, width=160, force_terminal=True)
    assert traffic(given, Request(stack="dev", watch=True), console, rest) == 0
    assert "\x1b[" in output.getvalue()
