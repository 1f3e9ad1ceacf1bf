"""The last step of the walkthrough: send requests to the ingress and count the answers of each version."""

import time
from collections import Counter

import httpx
from rich.table import Table

from lab.errors import LabError
from lab.progress import Progress

REQUESTS = 100
TIMEOUT_SECONDS = 10
"""How long a single answer may take."""
PATIENCE_SECONDS = 120
"""How long the first successful answer may take: after a restart the app's pods are ready last."""
POLL_SECONDS = 0.2


def ask(client: httpx.Client, url: str) -> tuple[bool, str]:
    """Send a request; return whether it succeeded, and the version that answered or the error."""
    try:
        response = client.get(url)
    except httpx.HTTPError as error:
        return False, type(error).__name__
    if not response.is_success:
        return False, f"HTTP {response.status_code}"
    return True, response.headers.get("x-version", "unnamed")


def show(url: str, urls: dict[str, str], weights: dict[str, int], progress: Progress) -> None:
    """Wait for the first successful answer, send 100 requests, print the URLs and a table of the answers.

    Raises:
        LabError: no successful answer in time, or answers that are not from a version with weight.
    """
    with httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False) as client:
        _await(client, url, progress)
        with progress.step(f"send {REQUESTS} requests to {url}"):
            answers = Counter(ask(client, url) for _ in range(REQUESTS))
    table = Table("version", "weight", "answers", title=url)
    for version in sorted({*weights, *(name for _, name in answers)}):
        table.add_row(
            version, str(weights.get(version, "-")), str(answers[True, version] + answers[False, version])
        )
    progress.console.print()
    for name, address in urls.items():
        progress.console.print(f"{name:>12}  {address}", markup=False)
    progress.console.print(table)
    wrong = {name: count for (good, name), count in answers.items() if not (good and weights.get(name))}
    if wrong:
        raise LabError(
            f"{sum(wrong.values())} of {REQUESTS} answers are not from a version with weight: {wrong}",
            fix=f"curl --verbose {url}; istioctl analyze --all-namespaces",
        )


def _await(client: httpx.Client, url: str, progress: Progress) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    with progress.step(f"wait for {url}") as step:
        while not (answer := ask(client, url))[0]:
            step.describe(answer[1])
            if time.monotonic() > deadline:
                raise LabError(
                    f"no successful answer from {url} within {PATIENCE_SECONDS} s; the last: {answer[1]}",
                    fix="source .lab/env, then: kubectl get pods --all-namespaces; istioctl analyze -A",
                )
            time.sleep(POLL_SECONDS)
        step.describe("")
