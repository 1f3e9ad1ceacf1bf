"""istiods for the tests: real HTTP servers, and a `kubectl` that lists them and forwards ports to them."""

import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

Frame = tuple[Callable[[bytes], tuple[str, str]], Callable[[bytes], bytes]]


def _chunks(body: bytes) -> bytes:
    """Write a body in pieces, of which the last is empty."""
    pieces = [body[at : at + 7] for at in range(0, len(body), 7)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (*pieces, b""))


FRAMES: dict[str, Frame] = {
    "length": (lambda body: ("Content-Length", str(len(body))), bytes),
    "chunks": (lambda _: ("Transfer-Encoding", "chunked"), _chunks),
    "end": (lambda _: ("Connection", "close"), bytes),
    "too short": (lambda body: ("Content-Length", str(len(body))), lambda body: body[:-3]),
}
"""How a server says where its answer ends: the header, and the body as it is sent."""


class FakeIstiod:
    """One istiod: what it answers may be changed meanwhile, and each question is noted."""

    def __init__(self, name: str, answers: Mapping[str, object]) -> None:
        self.name, self.answers = name, dict(answers)
        self.status, self.frozen, self.frame = 200, threading.Event(), "chunks"
        self.asked: list[tuple[float, str]] = []
        self.is_asked = threading.Event()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                owner.asked.append((time.monotonic(), self.path))
                owner.is_asked.set()
                if owner.frozen.is_set():
                    time.sleep(2)
                    return
                answer = owner.answers[self.path]
                answer = answer() if callable(answer) else answer
                body = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
                header, write = FRAMES[owner.frame]
                self.send_response(owner.status)
                self.send_header(*header(body))
                self.end_headers()
                self.wfile.write(write(body))
                self.close_connection = True

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def close(self) -> None:
        """Stop to listen."""
        self._server.shutdown()
        self._server.server_close()

    def pod(self, **changes: object) -> dict[str, Any]:
        """Write its pod as kubectl lists it: ready, unless the condition is said to be another."""
        ready = {"type": "Ready", "status": "True", "lastTransitionTime": "2026-11-30T12:00:09Z"}
        started = {"state": {"running": {"startedAt": "2026-11-30T12:00:05Z"}}}
        return {
            "metadata": {"name": self.name, **{k: v for k, v in changes.items() if k == "deletionTimestamp"}},
            "status": {"conditions": [{**ready, **changes}], "containerStatuses": [started]},
        }


class FakeCluster:
    """A folder with a `kubectl` of the test's own, in front of PATH."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.istiods: list[FakeIstiod] = []
        self.write("pods.json", json.dumps({"items": []}))
        script = folder / "kubectl"
        script.write_text(
            f'#!/bin/bash\ncd {folder}\necho "$*" >>commands\nshift 4\n'
            'case "$1 $2" in\n'
            '"get pods") cat pods.json;;\n'
            '"port-forward "*) pod=${2#pod/}\n'
            '  if [ -f "$pod.refusal" ]; then cat "$pod.refusal" >&2; exit 1; fi\n'
            "  echo $$ >>forwards\n"
            '  echo "Forwarding from 127.0.0.1:$(cat "$pod.port") -> 15014"; exec sleep 600;;\n'
            '"get "*) cat "objects $2";;\n'
            "esac\n"
        )
        script.chmod(0o755)

    def close(self) -> None:
        """Stop all istiods."""
        for istiod in self.istiods:
            istiod.close()

    @property
    def path(self) -> str:
        """What PATH is to be."""
        return f"{self.folder}:{os.environ['PATH']}"

    def add(self, *answers: Mapping[str, object]) -> None:
        """Add one istiod for each mapping from path to answer."""
        for each in answers:
            istiod = FakeIstiod(f"istiod-{len(self.istiods)}", each)
            self.istiods.append(istiod)
            self.write(f"{istiod.name}.port", str(istiod.port))
        self.pods(*(istiod.pod() for istiod in self.istiods))

    def pods(self, *pods: Mapping[str, object]) -> None:
        """Let kubectl list these pods of istiod."""
        self.write("pods.json", json.dumps({"items": pods}))

    def write(self, name: str, text: str) -> None:
        """Put a file where the script finds it."""
        (self.folder / name).write_text(text)

    def commands(self, word: str) -> int:
        """Count the commands that were run with a word in them."""
        file = self.folder / "commands"
        return sum(word in line for line in file.read_text().splitlines()) if file.exists() else 0

    def forwards(self) -> list[int]:
        """List the processes that forwarded a port, in the order of their beginning."""
        file = self.folder / "forwards"
        return list(map(int, file.read_text().split())) if file.exists() else []


def is_alive(pid: int) -> bool:
    """Whether there is such a process, and not only its last entry."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False
