"""kubectl on the lab."""

import json
import subprocess
from collections.abc import Sequence

from operations.kube.manifests import Manifest


def kubectl(*words: str, stdin: str | None = None, seconds: float | None = None) -> str:
    """Run kubectl; returns what it printed.

    Args:
        words: what it is asked.
        stdin: what it reads, as text.
        seconds: how long it may take, if there is a limit.

    Raises:
        RuntimeError: it failed.
        TimeoutExpired: it took longer.
    """
    done = subprocess.run(
        ["kubectl", "--context", "lab", *words],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
    )
    if done.returncode:
        message = f"kubectl {' '.join(words)}: {done.stdout}{done.stderr}"
        raise RuntimeError(message)
    return done.stdout


def apply(objects: Sequence[Manifest]) -> None:
    """Apply objects, as the server takes them; namespaces first, which a busy API server may not know yet."""
    namespaces = [each for each in objects if each["kind"] == "Namespace"]
    for items in (namespaces, [each for each in objects if each not in namespaces]):
        document = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
        kubectl("apply", "--server-side", "--force-conflicts", "--filename=-", stdin=document)
