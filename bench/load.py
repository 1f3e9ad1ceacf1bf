"""A constant rate of requests while something else happens: from this machine, or from a pod in the mesh."""

import json
import re
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from bench.answers import Answer
from bench.commands import CHECKOUT, environment, kubectl

INGRESS: Final = "http://127.0.0.1:31380/hello"
LONGEST_SECONDS: Final = 600
"""The load ends by itself after this time, also if its caller was killed."""
HELD: Final = 0.98
"""The share of the rate that must really be sent for the rate to count as held."""
SLOW_EVERY: Final = 400
"""One request in so many takes 3 s."""
CLIENT: Final = "load"
"""The pod in the mesh, its container, and its label `app`."""
LOGGED: Final = re.compile(r'" (?P<code>\d+) (?P<flags>\S+) ')
"""Status and response flags in a line of Envoy's access log."""


@dataclass(frozen=True)
class Report:
    """What came back of a load."""

    requests: int
    seconds: float
    answers: Counter[str]
    """Good answers by version."""
    failed: int
    failures: tuple[str, ...]
    """The first failures: moment, status, reason."""
    p99_milliseconds: float
    each: Sequence[Answer]
    """Every answer in the order of the requests, where it was asked for."""

    @classmethod
    def of(cls, document: dict[str, Any]) -> Self:
        """Read what the load generator prints."""
        each = [Answer(one["at"], one["version"], one["code"]) for one in document.get("each", ())]
        return cls(
            document["requests"],
            document["seconds"],
            Counter(document["answers"]),
            document["failed"],
            tuple(f"{one['at']} {one['code']} {one['reason']}" for one in document["failures"]),
            document["p99Milliseconds"],
            sorted(each, key=lambda answer: answer.at),
        )

    @property
    def rate(self) -> float:
        """Requests a second that were really sent."""
        return self.requests / self.seconds


@dataclass
class Load:
    """Sends requests from enter to exit."""

    url: str
    _: KW_ONLY
    rate: int
    """Requests a second."""
    host: str
    slow: bool = True
    """Whether one request in SLOW_EVERY takes 3 s."""
    seconds: float = LONGEST_SECONDS
    each: bool = False
    """Whether every answer is reported."""
    namespace: str = ""
    """Where the client pod sends from; empty: this machine."""
    report: Report = field(init=False)

    def __enter__(self) -> Self:
        """Start sending."""
        pod = (
            "--context=lab",
            "exec",
            "-i",
            CLIENT,
            f"--container={CLIENT}",
            f"--namespace={self.namespace}",
        )
        program = ["kubectl", *pod, "--", "/load"] if self.namespace else [str(CHECKOUT / ".lab/bin/load")]
        flags = ["-rate", str(self.rate), "-seconds", str(self.seconds), "-header", f"Host: {self.host}"]
        flags += ["-slow", f"{self.url}?delay=3s", "-every", str(SLOW_EVERY)] if self.slow else []
        flags += ["-each"] if self.each else []
        self._process = subprocess.Popen(
            [*program, *flags, self.url],
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, by the end of the program's standard input, and wait for the last answers."""
        output, errors = self._process.communicate()
        if self._process.returncode:
            message = f"the load exited with {self._process.returncode}: {errors}"
            raise RuntimeError(message)
        self.report = Report.of(json.loads(output))


def both_ways(
    namespace: str, happens: Callable[[], None], *, ingress: int, mesh: int
) -> tuple[list[Report], Counter[str]]:
    """Load a copy of the walkthrough's app from outside and from its client pod while something happens.

    Args:
        namespace: the copy's; `NAMESPACE.example.com` is its host, and `client` runs there.
        happens: the load ends with it.
        ingress: requests a second through the ingress.
        mesh: requests a second from the client pod.

    Returns both reports, the ingress first, and the failures in the proxies' logs by status and Envoy's flag.
    """
    host = f"springbootapp.{namespace}.svc.cluster.local:8080"
    started = time.monotonic()
    outside = Load(INGRESS, rate=ingress, host=f"{namespace}.example.com")
    inside = Load(f"http://{host}/hello", rate=mesh, host=host, namespace=namespace)
    with outside, inside:
        happens()
    since = f"--since={int(time.monotonic() - started) + 1}s"
    flags: Counter[str] = Counter()
    for where, pods in (("istio-system", "istio=ingressgateway"), (namespace, "app")):
        words = (f"--namespace={where}", f"--selector={pods}", since, "--tail=-1", "--ignore-errors")
        # A pod that is just starting has no log yet.
        for line in kubectl("logs", "--container=istio-proxy", *words).splitlines():
            if (logged := LOGGED.search(line)) and int(logged["code"]) not in range(100, 500):
                flags[f"{logged['code']} {logged['flags']}"] += 1
    return [outside.report, inside.report], flags


@contextmanager
def client(namespace: str) -> Iterator[None]:
    """Run a client pod in the mesh, and let proxies log failures alone and trace nothing."""
    objects = Path(__file__).with_suffix(".yaml").read_text().replace("NAMESPACE", namespace)
    kubectl("apply", "--filename=-", stdin=objects)
    where = f"--namespace={namespace}"
    kubectl("wait", f"pod/{CLIENT}", where, "--for=condition=Ready", "--timeout=120s")
    yield
    kubectl("delete", "--filename=-", "--now", stdin=objects)
