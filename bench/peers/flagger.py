"""Flagger."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.kubectl import apply, kubectl
from bench.peers.app import APP, PROMOTED, ROLLED_BACK, STEPS, Tool, declared, pods
from bench.peers.copies import deleted, document, is_, live, until
from bench.peers.programs import FLAGGER
from operations.kube.manifests import Manifest

NAMESPACE: Final = "bench-peers-flagger"
KIND: Final = "canaries.flagger.app"
ENDED: Final = {"Succeeded": PROMOTED, "Failed": ROLLED_BACK}


@contextmanager
def flagger(folder: Path) -> Iterator[Tool]:
    """A Canary whose primary is v1; at the end nothing of it is left."""
    v1 = declared(folder, NAMESPACE)
    deployment, metric, canary = document("flagger.yaml", NAMESPACE)
    deployment["spec"]["template"] = _known(pods(v1, "v1"))
    canary["spec"]["analysis"]["stepWeights"] = list(STEPS)
    kept = [each for each in v1 if is_(each, "Namespace", "Gateway", "ServiceAccount")]
    with deleted(NAMESPACE):
        apply([*kept, deployment, metric, canary])
        until("the Canary is initialized", lambda: _phase() == "Initialized")

        def release(env: Mapping[str, str]) -> Callable[[], str | None]:
            v2 = _known(pods(declared(folder, NAMESPACE, env), "v2"))
            change = json.dumps({"spec": {"template": v2}})
            where = f"--namespace={NAMESPACE}"
            kubectl("patch", "deployment", APP, where, "--type=merge", f"--patch={change}")
            begun = False

            def ended() -> str | None:
                nonlocal begun
                # Until it has seen the change, the phase is that of the release before.
                begun = begun or _phase() not in {"Initialized", *ENDED}
                return ENDED.get(_phase()) if begun else None

            return ended

        yield Tool(name=FLAGGER.name, namespace=NAMESPACE, release=release)


def _known(template: Manifest) -> Manifest:
    """Say the pause before the app ends in words of Kubernetes 1.27, whose client Flagger has."""
    (container,) = template["spec"]["containers"]
    seconds = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    sleeps = {"httpGet": {"path": f"/hello?delay={seconds}s", "port": "http"}}
    container["lifecycle"] = {"preStop": sleeps}
    return template


def _phase() -> str:
    return str(live(KIND, NAMESPACE).get("status", {}).get("phase"))
