"""The cluster is asked through a real connection, and what it cannot answer is told in words."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml

from operations.cluster import Cluster

PODS = {"name": "pods", "kind": "Pod", "namespaced": True, "verbs": ["get", "list"], "singularName": "pod"}
CORE = {"kind": "APIResourceList", "resources": [PODS, {**PODS, "name": "pods/status"}]}
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
