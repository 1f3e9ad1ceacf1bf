"""Requests to the ingress on loopback, counted by what answered."""

import re
import time
from collections import Counter
from collections.abc import Callable

import httpx

_SPOKEN = re.compile(r"hello from \S+ (\S+),")
"""How springbootapp says its version."""

TIMEOUT_SECONDS = 10
SETTLE_SECONDS = 10


def ask(url: str, requests: int, **headers: str) -> Counter[str]:
    """Ask so many times; counts answers by version, and failures by what they were."""
    answers: Counter[str] = Counter()
    with httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False, headers=headers) as client:
        for _ in range(requests):
            try:
                response = client.get(url)
            except httpx.HTTPError as error:
                answers[type(error).__name__] += 1
            else:
                version = response.headers.get("x-version", "unnamed")
                answers[version if response.is_success else f"HTTP {response.status_code}"] += 1
    return answers


def ask_inside(root: str, service: str, requests: int, **headers: str) -> Counter[str]:
    """Have a pod of springbootapp ask a Service of the cluster so many times; counts as `ask` does.

    Args:
        root: the URL by which the asking pod is reached, without a path.
        service: NAME.NAMESPACE.svc:PORT.
        requests: how many.
        headers: for the way to the asking pod.
    """
    answers: Counter[str] = Counter()
    with httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False, headers=headers) as client:
        for _ in range(requests):
            response = client.get(f"{root}/fetch?url=http://{service}/hello")
            version = _SPOKEN.match(response.text)
            answers[version[1] if response.is_success and version else f"HTTP {response.status_code}"] += 1
    return answers


def ask_until(url: str, requests: int, good: Callable[[Counter[str]], bool], **headers: str) -> Counter[str]:
    """Ask until the answers are good, or the proxies have had their time; returns the last answers.

    Envoy sends a new split some 100 ms after the API server took it: istiod gathers changes so long.
    """
    deadline = time.monotonic() + SETTLE_SECONDS
    while not good(answers := ask(url, requests, **headers)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return answers
