"""What shows the mesh on the lab, as a person or a program asks it."""

import time
from collections.abc import Callable

import httpx

KIALI = "http://127.0.0.1:20001/kiali"
JAEGER = "http://127.0.0.1:16686"


def kiali() -> httpx.Client:
    """Kiali's API, as its web interface asks it."""
    return httpx.Client(base_url=f"{KIALI}/api/", timeout=30, trust_env=False)


def wait_for(good: Callable[[], bool], seconds: float = 60) -> bool:
    """Whether something becomes true in time."""
    deadline = time.monotonic() + seconds
    while not good():
        if time.monotonic() > deadline:
            return False
        time.sleep(1)
    return True
