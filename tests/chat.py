"""A chat that takes messages over HTTP, for the hooks of canaries."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

NEVER_SECONDS = 30
"""Longer than any hook of a test waits."""


@contextmanager
def chat() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Take what is posted, and answer by the path: a status, or `never`. Gives the URL and what was taken."""
    messages: list[dict[str, Any]] = []

    class Chat(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            message = json.loads(self.rfile.read(int(self.headers["content-length"])))
            path = self.path.strip("/")
            if path == "never":
                time.sleep(NEVER_SECONDS)
                return
            messages.append(message)
            self.send_response(int(path))
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Chat) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", messages
        server.shutdown()
