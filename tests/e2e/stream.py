"""A steady stream of requests to the ingress on loopback, while something else happens."""

import threading
import time
from collections import Counter
from types import TracebackType
from typing import Self

import httpx

TIMEOUT_SECONDS = 10
PAUSE_SECONDS = 0.01
"""Between two requests of a client: with two clients somewhat under 200 a second."""
CLIENTS = 2


class Stream:
    """Asks from enter to exit; every answer counts, and every failure with what it was and when."""

    def __init__(self, url: str, **headers: str) -> None:
        self._url, self._headers = url, headers
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask, daemon=True) for _ in range(CLIENTS)]
        self.answers: Counter[str] = Counter()
        self.failures: list[str] = []

    def __enter__(self) -> Self:
        """Start asking."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, and wait for the last answers."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _ask(self) -> None:
        with httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False, headers=self._headers) as client:
            while not self._stop.wait(PAUSE_SECONDS):
                try:
                    response = client.get(self._url)
                except httpx.HTTPError as error:
                    self.failures.append(f"{time.strftime('%X')} {type(error).__name__}")
                    continue
                if response.is_success:
                    self.answers[response.headers.get("x-version", "unnamed")] += 1
                else:
                    self.failures.append(f"{time.strftime('%X')} {response.status_code} {response.text[:80]}")
