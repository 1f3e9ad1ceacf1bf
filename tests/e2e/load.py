"""A constant rate of requests while something else happens: from this machine, or from a pod in the mesh."""

import json
import re
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from tests.e2e.conftest import CHECKOUT, Shell

LONGEST_SECONDS = 600
"""The load ends by itself after so long, whatever becomes of the test."""

HELD = 0.98
"""The share of the requests asked for that a machine has to ask in the time, to hold a rate."""

SLOW_EVERY = 400
"""One request in so many takes 3 s."""

CLIENT = "load"
"""The pod in the mesh, its container, and the app that it calls itself."""

FAILURES_ONLY = "!has(response.code) || response.code == 0 || response.code >= 500"
"""What proxies log while a load runs: at 1,000 requests a second they would do little else.

A caller who gave up has no code.
"""

LOGGED = re.compile(r'" (?P<code>\d+) (?P<flags>\S+) ')
"""Status and response flags in a line of Envoy's access log."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """What came back of a load."""

    requests: int
    seconds: float
    answers: Counter[str]
    failed: int
    failures: tuple[str, ...]
    p99_milliseconds: float

    @property
    def rate(self) -> float:
        """Requests a second that were really asked."""
        return self.requests / self.seconds


@dataclass(frozen=True, kw_only=True)
class BothWays:
    """What came back through the ingress and in the mesh while something happened."""

    ingress: Report
    mesh: Report
    seconds: float
    flags: Counter[str]
    """Failures that proxies logged, by status and Envoy's response flag; each request passes two proxies."""


class Load:
    """Asks from enter to exit."""

    report: Report

    def __init__(
        self,
        words: Sequence[str],
        *,
        url: str,
        rate: int,
        host: str,
        slow: bool = True,
        seconds: float = LONGEST_SECONDS,
    ) -> None:
        flags = ("-rate", str(rate), "-seconds", str(seconds), "-header", f"Host: {host}")
        some = ("-slow", f"{url}?delay=3s", "-every", str(SLOW_EVERY)) if slow else ()
        self._command = [*words, *flags, *some, url]

    def __enter__(self) -> Self:
        """Start asking."""
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, and wait for the last answers: its input ends."""
        said, complained = self._process.communicate()
        if self._process.returncode:
            message = f"the load ended with {self._process.returncode}: {complained}"
            raise AssertionError(message)
        self.report = _report(json.loads(said))


def from_here(url: str, *, rate: int, host: str, slow: bool = True, seconds: float = LONGEST_SECONDS) -> Load:
    """Load the ingress on loopback, with some requests that are answered slowly, for so long at most."""
    words = [str(CHECKOUT / ".lab/bin/load")]
    return Load(words, url=url, rate=rate, host=host, slow=slow, seconds=seconds)


def from_mesh(shell: Shell, namespace: str, url: str, *, rate: int, host: str) -> Load:
    """Load a Service from the client pod of a namespace."""
    kubeconfig = shell.run('printf %s "$KUBECONFIG"').stdout
    kubectl = (str(CHECKOUT / ".lab/bin/kubectl"), "--kubeconfig", kubeconfig, "--namespace", namespace)
    words = (*kubectl, "exec", "-i", CLIENT, f"--container={CLIENT}", "--", "/load")
    return Load(words, url=url, rate=rate, host=host)


def both_ways(
    shell: Shell, namespace: str, happens: Callable[[], None], *, ingress: int, mesh: int
) -> BothWays:
    """Load a copy of the walkthrough's app from outside and from its client pod while something happens.

    Args:
        shell: where kubectl runs.
        namespace: the copy's; `NAMESPACE.example.com` is its host, and it has a `caller`.
        happens: the load ends with it.
        ingress: requests a second through the ingress.
        mesh: requests a second from the client pod.
    """
    host = f"springbootapp.{namespace}.svc.cluster.local:8080"
    begun = time.monotonic()
    outside = from_here("http://127.0.0.1:31380/hello", rate=ingress, host=f"{namespace}.example.com")
    inside = from_mesh(shell, namespace, f"http://{host}/hello", rate=mesh, host=host)
    with outside, inside:
        happens()
    seconds = time.monotonic() - begun
    proxies = {"istio-system": "istio=ingressgateway", namespace: "app"}
    found = _flags(shell, int(seconds) + 1, proxies)
    return BothWays(ingress=outside.report, mesh=inside.report, seconds=seconds, flags=found)


@contextmanager
def caller(shell: Shell, namespace: str) -> Iterator[None]:
    """Run a pod that can ask from inside the mesh, and let proxies log failures alone and trace nothing."""
    quiet = [_failures_only("istio-system", istio="ingressgateway"), _failures_only(namespace)]
    apply(shell, _client(namespace), *quiet)
    shell.run(f"kubectl wait pod/{CLIENT} -n {namespace} --for=condition=Ready --timeout=120s")
    yield
    shell.run(f"kubectl delete pod {CLIENT} -n {namespace} --now")
    for each in quiet:
        shell.run(f"kubectl delete telemetry load -n {each['metadata']['namespace']}")


def apply(shell: Shell, *objects: dict[str, Any]) -> None:
    """Apply objects as kubectl does."""
    document = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    shell.run(f"kubectl apply -f - <<'EOF'\n{document}\nEOF")


def _flags(shell: Shell, since_seconds: int, proxies: Mapping[str, str]) -> Counter[str]:
    """Count the failures that proxies logged by status and Envoy's response flag: pods by namespace."""
    found: Counter[str] = Counter()
    for namespace, selector in proxies.items():
        words = f"-n {namespace} -l {selector} --since={since_seconds}s"
        # A pod that is just starting has no log yet.
        said = shell.run(f"kubectl logs -c istio-proxy {words} --tail=-1 --ignore-errors").stdout
        for line in said.splitlines():
            if (logged := LOGGED.search(line)) and int(logged["code"]) not in range(100, 500):
                found[f"{logged['code']} {logged['flags']}"] += 1
    return found


def _report(said: dict[str, Any]) -> Report:
    failures = (f"{each['at']} {each['code']} {each['reason']}" for each in said["failures"])
    return Report(
        requests=said["requests"],
        seconds=said["seconds"],
        answers=Counter(said["answers"]),
        failed=said["failed"],
        failures=tuple(failures),
        p99_milliseconds=said["p99Milliseconds"],
    )


def _client(namespace: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": CLIENT, "namespace": namespace, "labels": {"app": CLIENT}},
        "spec": {
            "automountServiceAccountToken": False,
            "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [
                {
                    "name": CLIENT,
                    "image": "lab/load:1",
                    "imagePullPolicy": "IfNotPresent",
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "readOnlyRootFilesystem": True,
                        "capabilities": {"drop": ["ALL"]},
                    },
                }
            ],
        },
    }


def _failures_only(namespace: str, **labels: str) -> dict[str, Any]:
    """Of several for a whole namespace the oldest counts; one for the labels of pods comes before it."""
    selector = {"selector": {"matchLabels": labels}} if labels else {}
    logging = {"providers": [{"name": "envoy"}], "filter": {"expression": FAILURES_ONLY}}
    return {
        "apiVersion": "telemetry.istio.io/v1",
        "kind": "Telemetry",
        "metadata": {"name": "load", "namespace": namespace},
        "spec": {**selector, "accessLogging": [logging], "tracing": [{"disableSpanReporting": True}]},
    }
