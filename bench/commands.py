"""Run the public commands on the lab, with the variables of `.lab/env`."""

import json
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

CHECKOUT: Final = Path(__file__).resolve().parents[1]
SECONDS: Final = 600
"""Limit for one command; the longest is a `pulumi up` that waits for pods."""

Manifest = dict[str, Any]
"""A Kubernetes object as its API takes it."""


@cache
def environment() -> dict[str, str]:
    """Return the variables of a shell after `source .lab/env`."""
    words = ["bash", "-c", "source .lab/env && env -0"]
    done = subprocess.run(words, cwd=CHECKOUT, capture_output=True, text=True, check=True)
    found = dict(each.split("=", 1) for each in done.stdout.split("\0") if each)
    # Without compiled modules on disk every run would compile the program again, which no user's does.
    found.pop("PYTHONDONTWRITEBYTECODE", None)
    return found


def run(
    *words: str,
    cwd: Path = CHECKOUT,
    stdin: str | None = None,
    accepted: Collection[int] = (0,),
    variables: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command of at most SECONDS; `variables` are added to those of the lab.

    Raises:
        RuntimeError: its exit code is not accepted; an empty collection accepts all.
    """
    done = subprocess.run(
        words,
        cwd=cwd,
        env={**environment(), **(variables or {})},
        input=stdin or "",
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    if accepted and done.returncode not in accepted:
        message = f"`{' '.join(words)}` exited with {done.returncode}:\n{done.stdout}{done.stderr}"
        raise RuntimeError(message)
    return done


def kubectl(*words: str, stdin: str | None = None) -> str:
    """Run kubectl and return its output."""
    return run("kubectl", "--context=lab", *words, stdin=stdin).stdout


def apply(objects: Sequence[Manifest]) -> None:
    """Apply objects on the server side, Namespaces first: a busy API server may not know them yet."""
    namespaces = [each for each in objects if each["kind"] == "Namespace"]
    for items in (namespaces, [each for each in objects if each not in namespaces]):
        if items:
            document = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
            kubectl("apply", "--server-side", "--force-conflicts", "--filename=-", stdin=document)


def delete_namespace(name: str) -> None:
    """Delete a namespace and wait until it is gone."""
    kubectl("delete", "namespace", name, "--ignore-not-found")


def metrics() -> None:
    """Bring up the lab with the platform's Prometheus."""
    run(sys.executable, "-m", "lab", "metrics")


def patch(resource: str, namespace: str, change: Mapping[str, Any] | Sequence[Any]) -> None:
    """Patch an object: a mapping is merged, a list is a JSON patch."""
    kind = "merge" if isinstance(change, Mapping) else "json"
    words = ("patch", resource, f"--namespace={namespace}", f"--type={kind}")
    kubectl(*words, f"--patch={json.dumps(change)}")
