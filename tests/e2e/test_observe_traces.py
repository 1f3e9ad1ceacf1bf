"""A request is found in Jaeger by its id, with every proxy on its way; and from Kiali one comes to it."""

import time
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from bench.changes import base
from tests.e2e.browser import page, picture
from tests.e2e.conftest import Stack, lab, stacks_in
from tests.e2e.observers import JAEGER, KIALI, kiali, wait_for

NAMESPACE = "e2e-traces"
HOST = f"{NAMESPACE}.example.com"
INGRESS = "http://127.0.0.1:31380/hello"
GATEWAY = "istio-ingressgateway.istio-system"
APP = f"springbootapp.{NAMESPACE}"
SPANS = 3
"""Of the gateway two, as it is asked and as it asks; of the sidecar that is asked one."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Two versions with half of the traffic each, and what keeps traces."""
    lab("observe")
    with stacks_in(tmp_path_factory.mktemp("traces")) as make:
        made = make("traces", **base(NAMESPACE))
        made.up()
        yield made


def ask() -> tuple[str, str]:
    """Ask the ingress once under a trace of one's own; its id, and who answered."""
    trace = uuid.uuid4().hex
    headers = {"host": HOST, "traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    answer = httpx.get(INGRESS, headers=headers, trust_env=False)
    assert answer.status_code == 200
    return trace, answer.headers["x-version"]


def spans_of(trace: str) -> list[dict[str, Any]]:
    """Jaeger's spans of a trace: the service, and the tags."""
    answer = httpx.get(f"{JAEGER}/api/traces/{trace}", trust_env=False).json()
    return [
        {
            "service": found["processes"][span["processID"]]["serviceName"],
            **{tag["key"]: tag["value"] for tag in span["tags"]},
        }
        for found in answer["data"] or []
        for span in found["spans"]
    ]


@pytest.mark.usefixtures("stack")
def test_each_version_is_found_by_its_trace() -> None:
    """With spans of the gateway and one of the sidecar of the very version that answered."""
    seen: set[str] = set()
    while seen != {"v1", "v2"}:
        trace, version = ask()
        if version in seen:
            continue
        assert wait_for(lambda trace=trace: len(spans_of(trace)) >= SPANS, 30)  # type: ignore[misc]
        time.sleep(2)  # no more come than these
        spans = spans_of(trace)
        assert sorted(span["service"] for span in spans) == [GATEWAY, GATEWAY, APP]
        (sidecar,) = [span for span in spans if span["service"] == APP]
        assert sidecar["istio.canonical_revision"] == version
        assert {span["http.status_code"] for span in spans} == {"200"}
        seen.add(version)


@pytest.mark.usefixtures("stack")
def test_a_request_is_traced_without_being_asked_to() -> None:
    """The stack file says 100 percent: one that brings no trace begins one."""
    path = f"/hello?mark={uuid.uuid4().hex}"
    assert httpx.get(f"http://127.0.0.1:31380{path}", headers={"host": HOST}, trust_env=False).is_success
    words = {"service": APP, "lookback": "5m", "limit": "100"}

    def found() -> bool:
        said = httpx.get(f"{JAEGER}/api/traces", params=words, trust_env=False).text
        return path in said

    assert wait_for(found, 30)


def test_kiali_leads_to_the_trace(stack: Stack) -> None:
    """Among the traces of the version's workload, with all its spans, and in the browser."""
    assert stack
    trace, version = ask()
    workload = f"namespaces/{NAMESPACE}/workloads/springbootapp-{version}"
    begin = int((time.time() - 120) * 1_000_000)
    with kiali() as api:

        def listed() -> set[str]:
            answer = api.get(f"{workload}/traces", params={"startMicros": begin, "limit": 100})
            return {each["traceID"] for each in answer.json()["data"] or []}

        def shown() -> list[Any]:
            return list(api.get(f"traces/{trace}").json()["data"]["spans"])

        assert wait_for(lambda: trace in listed(), 30)
        assert wait_for(lambda: len(shown()) == SPANS, 30)  # each proxy sends its own when it likes
    with page(height=1300) as opened:
        opened.goto(f"{KIALI}/console/{workload}?tab=traces&traceId={trace}")
        opened.get_by_text(trace).first.wait_for()
        opened.get_by_role("tab", name="Span Details").click()
        opened.get_by_text(GATEWAY.partition(".")[0]).first.wait_for()
        opened.wait_for_timeout(2000)
        picture(opened, "trace")
