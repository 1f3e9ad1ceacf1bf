"""A fake Prometheus for tests: an HTTP server on loopback with configurable answers."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit


class Answering(ThreadingHTTPServer):
    """Gives one status and text to everybody, or the first answer whose word is in the query."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status, self.text = 200, ""
        self.vectors: dict[str, list[dict[str, Any]]] = {}
        self.asked: list[Mapping[str, list[str]]] = []

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def vector(self, word: str, *samples: tuple[Mapping[str, str], object]) -> None:
        """Answer queries that hold a word with a vector."""
        self.vectors[word] = [{"metric": labels, "value": [0, str(value)]} for labels, value in samples]


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Answering

    def do_GET(self) -> None:
        """Answer."""
        asked = parse_qs(urlsplit(self.path).query)
        self.server.asked.append(asked)
        text = self.server.text
        for word, result in self.server.vectors.items():
            if word in asked["query"][0]:
                text = success("vector", result)
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def success(kind: str, result: object) -> str:
    """A successful answer of Prometheus."""
    return json.dumps({"status": "success", "data": {"resultType": kind, "result": result}})


@contextmanager
def answering() -> Iterator[Answering]:
    """Serve while the block runs."""
    with Answering() as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
