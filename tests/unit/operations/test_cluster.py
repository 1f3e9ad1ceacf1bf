"""The cluster is queried over a real connection, and each error is reported in a sentence."""

import json
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
import yaml

from operations.errors import OperationError
from operations.kube import cluster
from operations.kube.cluster import Cluster

PODS = {"name": "pods", "kind": "Pod", "namespaced": True, "verbs": ["get", "list"], "singularName": "pod"}
CORE = {"kind": "APIResourceList", "resources": [PODS, {**PODS, "name": "pods/status"}]}
KIND = {"apiVersion": "v1", "kind": "Pod"}
POD = {"metadata": {"name": "shop-v1", "namespace": "shop"}}


class Answers(BaseHTTPRequestHandler):
    """What an API server answers, by path."""

    paths: dict[str, tuple[int, Any]]

    def do_GET(self) -> None:
        """Answer one request."""
        status, body = self.paths.get(self.path, (404, {"message": "not here"}))
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, tuple[int, Any]]]:
    """An API server on loopback, to which context `here` leads."""
    Answers.paths = {
        "/version": (200, {"major": "1"}),
        "/apis": (200, {"kind": "APIGroupList", "groups": []}),
        "/api/v1": (200, CORE),
    }
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    Thread(target=server.serve_forever, daemon=True).start()
    config = {
        "clusters": [{"name": "here", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
        "users": [{"name": "here", "user": {"token": "x"}}],
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "here"}}],
    }
    (tmp_path / "config").write_text(yaml.safe_dump(config))
    location = "kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION"
    monkeypatch.setattr(location, str(tmp_path / "config"))
    yield Answers.paths
    server.shutdown()


def test_objects_are_listed_and_say_what_they_are(answers: dict[str, tuple[int, Any]]) -> None:
    """A list's entries have neither kind nor version; they get both."""
    answers["/api/v1/pods?labelSelector="] = (200, {"kind": "PodList", "apiVersion": "v1", "items": [POD]})
    assert Cluster("here").whole("v1", "Pod") == [{"apiVersion": "v1", "kind": "Pod", **POD}]


def test_any_path_is_asked_within_its_own_time(answers: dict[str, tuple[int, Any]]) -> None:
    """Status and body, whatever they are."""
    answers["/proxy?query=up"] = (503, "away")
    assert Cluster("here").get("/proxy", {"query": "up"}, seconds=5) == (503, "away")


def test_a_kind_that_is_not_served_is_empty_and_none_else_is(answers: dict[str, tuple[int, Any]]) -> None:
    """Only a group or kind that the API server does not know has no objects."""
    cluster = Cluster("here")
    assert cluster.whole("networking.istio.io/v1", "VirtualService") == []
    assert not cluster.serves("v1", "Secret")
    assert cluster.serves("v1", "Pod")
    answers["/apis/apps/v1"] = (503, {"message": "the server is starting"})
    with pytest.raises(OperationError, match="returned an error or no answer") as told:
        cluster.whole("apps/v1", "Deployment")
    assert "the server is starting" in str(told.value)


def test_what_may_not_be_read_is_said_with_its_kind(answers: dict[str, tuple[int, Any]]) -> None:
    """In the API server's own words, without the JSON around them."""
    answers["/api/v1/pods?labelSelector="] = (403, {"message": 'User "x" cannot list resource "pods"'})
    with pytest.raises(
        OperationError, match="Pod in every namespace: forbidden for the user of context here"
    ):
        Cluster("here").whole("v1", "Pod")


@pytest.mark.parametrize("answer", [(404, "nothing"), (200, "<html>"), (200, {"kind": "Other"})])
def test_what_is_no_api_server_is_told_as_such(
    answers: dict[str, tuple[int, Any]], answer: tuple[int, Any]
) -> None:
    """An address that answers something else does not mean that nothing is there."""
    answers["/api/v1"] = answer
    cluster = Cluster("here")
    for ask in (lambda: cluster.whole("v1", "Pod"), lambda: cluster.read({**POD, **KIND})):
        with pytest.raises(OperationError, match="is not a Kubernetes API server"):
            ask()


@pytest.mark.parametrize("content", ["", "a: [", "clusters: 7", "contexts: []", "just words", "- a"])
def test_a_file_that_is_no_kubeconfig_is_told_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    """Whatever is in it."""
    (tmp_path / "config").write_text(content)
    location = "kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION"
    monkeypatch.setattr(location, str(tmp_path / "config"))
    with pytest.raises(OperationError, match="no kubeconfig context here"):
        Cluster("here").whole("v1", "Pod")


@pytest.mark.usefixtures("answers")
def test_a_cluster_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every call has a time limit: one that is frozen would hold a canary for ever."""
    frozen = Event()
    monkeypatch.setattr(Answers, "do_GET", lambda _: frozen.wait(10))
    monkeypatch.setattr(cluster, "TIMEOUT_SECONDS", (0.2, 0.2))
    began = time.monotonic()
    with pytest.raises(OperationError, match="returned an error or no answer"):
        Cluster("here").read({**KIND, **POD})
    assert time.monotonic() - began < 5
    frozen.set()
