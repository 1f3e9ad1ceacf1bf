"""Requests to the ingress on loopback, counted by what answered."""

import time
from collections import Counter
from collections.abc import Callable

import httpx

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


def settled(url: str, requests: int, good: Callable[[Counter[str]], bool], **headers: str) -> Counter[str]:
    """Ask until the answers are good, or the proxies have had their time; returns the last answers.

    Envoy sends a new split some 100 ms after the API server took it: istiod gathers changes so long.
    """
    deadline = time.monotonic() + SETTLE_SECONDS
    while not good(answers := ask(url, requests, **headers)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return answers
