"""What Argo Rollouts and Flagger need alike: their files filled in, a look at the live object, the end."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from string import Template
from typing import Final

import yaml

from bench.kubectl import kubectl
from bench.peers.app import APP, HOLD_SECONDS, LEAST, PROMETHEUS
from bench.projects import host
from operations.kube.manifests import Manifest

PATIENCE_SECONDS: Final = 180
POLL_SECONDS: Final = 0.5


def document(name: str, namespace: str) -> list[Manifest]:
    """Read the objects of a file here, for one namespace."""
    text = Template(Path(__file__).with_name(name).read_text()).substitute(
        namespace=namespace,
        host=host(namespace),
        prometheus=PROMETHEUS,
        window=f"{HOLD_SECONDS}s",
        least=LEAST,
    )
    objects: list[Manifest] = list(yaml.safe_load_all(text))
    for each in objects:
        each["metadata"]["namespace"] = namespace
    return objects


def is_(manifest: Manifest, *kinds: str) -> bool:
    """Tell whether an object is of one of these kinds."""
    return manifest["kind"] in kinds


def live(kind: str, namespace: str) -> Manifest:
    """Read the object of a kind that has the app's name."""
    found: Manifest = json.loads(kubectl("get", kind, APP, f"--namespace={namespace}", "--output=json"))
    return found


def until(what: str, is_so: Callable[[], bool]) -> None:
    """Wait until something is so.

    Raises:
        RuntimeError: it does not get so.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        if time.monotonic() > deadline:
            message = f"not within {PATIENCE_SECONDS} s: {what}"
            raise RuntimeError(message)
        time.sleep(POLL_SECONDS)


@contextmanager
def deleted(namespace: str) -> Iterator[None]:
    """Begin without a namespace, and at the end let it go, with all that stands in it."""
    gone(namespace)
    try:
        yield
    finally:
        kubectl("delete", "namespace", namespace, "--ignore-not-found", "--wait=false")


def gone(namespace: str) -> None:
    """Delete a namespace and wait for it: its pods take their time to end."""
    kubectl("delete", "namespace", namespace, "--ignore-not-found")
