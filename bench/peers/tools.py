"""The three tools, each on a copy of the service where v1 has all traffic, which is removed at the end."""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from string import Template
from typing import Any, Final

import yaml

from bench.commands import Manifest, apply, delete_namespace, kubectl, patch
from bench.peers import service
from bench.peers.controllers import ARGO, FLAGGER
from bench.peers.service import APP, PROMOTED, ROLLED_BACK, declared, pods, settings
from bench.stack import Stack, deployed

End = Callable[[], str | None]
"""Returns how a release ended; None until then."""
Release = Callable[[Mapping[str, str]], End]
"""Hands over a v2 whose pods have these variables."""


@contextmanager
def operations_canary(namespace: str, folder: Path) -> Iterator[Release]:
    """`python -m operations canary` of this program."""
    # A canary that was stopped in the middle would have to be ended before the next one.
    shutil.rmtree(folder / "state", ignore_errors=True)
    by_exit_code = {0: PROMOTED, 3: ROLLED_BACK}
    with deployed(Stack.at(folder, namespace, settings(namespace))) as stack, ThreadPoolExecutor() as runs:

        def release(env: Mapping[str, str]) -> End:
            stack.configure(**settings(namespace, env))
            run = runs.submit(stack.operations, "canary", "--to", "v2", "--yes", accepted=())

            def end() -> str | None:
                if not run.done():
                    return None
                code = run.result().returncode
                return by_exit_code.get(code, f"exit code {code}")

            return end

        yield release


@contextmanager
def argo(namespace: str, folder: Path) -> Iterator[Release]:
    """A Rollout of Argo Rollouts."""
    v1 = declared(folder, namespace)
    rollout, *others = document("argo.yaml", namespace)
    rollout["spec"]["template"] = pods(v1, "v1")
    rollout["spec"]["strategy"]["canary"]["steps"] = argo_steps()
    shared = [each for each in v1 if each["kind"] in {"Namespace", "Gateway", "ServiceAccount", "Service"}]
    resource = f"rollouts.argoproj.io/{APP}"

    def release(env: Mapping[str, str]) -> End:
        before = _live(resource, namespace)["status"]["currentPodHash"]
        template = pods(declared(folder, namespace, env), "v2")
        patch(resource, namespace, {"spec": {"template": template}})

        def end() -> str | None:
            now = _live(resource, namespace)
            status = now["status"]
            is_new = status["observedGeneration"] == str(now["metadata"]["generation"])
            if not is_new or status["currentPodHash"] == before:
                return None
            if status["phase"] == "Healthy" and status["stableRS"] == status["currentPodHash"]:
                return PROMOTED
            return ROLLED_BACK if status["phase"] == "Degraded" and status.get("abort") else None

        return end

    with _applied(namespace, [*shared, *others, rollout], resource, "Healthy"):
        yield release


@contextmanager
def flagger(namespace: str, folder: Path) -> Iterator[Release]:
    """A Canary of Flagger, whose primary is v1."""
    v1 = declared(folder, namespace)
    deployment, metric, canary = document("flagger.yaml", namespace)
    deployment["spec"]["template"] = _for_old_client(pods(v1, "v1"))
    canary["spec"]["analysis"]["stepWeights"] = list(service.STEPS)
    shared = [each for each in v1 if each["kind"] in {"Namespace", "Gateway", "ServiceAccount"}]
    by_phase = {"Succeeded": PROMOTED, "Failed": ROLLED_BACK}
    resource = f"canaries.flagger.app/{APP}"

    def release(env: Mapping[str, str]) -> End:
        before = _live(resource, namespace)["status"]["lastAppliedSpec"]
        template = _for_old_client(pods(declared(folder, namespace, env), "v2"))
        patch(f"deployment/{APP}", namespace, {"spec": {"template": template}})

        def end() -> str | None:
            now = _live(resource, namespace)["status"]
            return by_phase.get(now["phase"]) if now["lastAppliedSpec"] != before else None

        return end

    with _applied(namespace, [*shared, deployment, metric, canary], resource, "Initialized"):
        yield release


TOOLS: Final[Mapping[str, Callable[[str, Path], AbstractContextManager[Release]]]] = {
    "this program": operations_canary,
    ARGO.part.name: argo,
    FLAGGER.part.name: flagger,
}


def document(name: str, namespace: str) -> list[Manifest]:
    """Return the objects of a file of this folder, in a namespace."""
    text = Template(Path(__file__).with_name(name).read_text()).substitute(
        namespace=namespace,
        host=f"{namespace}.example.com",
        prometheus=service.PROMETHEUS,
        window=f"{service.HOLD_SECONDS}s",
        least=service.LEAST,
    )
    objects: list[Manifest] = list(yaml.safe_load_all(text))
    for each in objects:
        each["metadata"]["namespace"] = namespace
    return objects


def argo_steps() -> list[dict[str, Any]]:
    """Return the plan's steps: each the weight, the time, and one check."""
    watch: list[dict[str, Any]] = [
        {"pause": {"duration": f"{service.HOLD_SECONDS}s"}},
        {"analysis": {"templates": [{"templateName": "success-rate"}]}},
    ]
    return [step for weight in service.STEPS for step in ({"setWeight": weight}, *watch)]


@contextmanager
def _applied(namespace: str, objects: list[Manifest], resource: str, phase: str) -> Iterator[None]:
    """Apply objects in a new namespace, wait for the phase of one, and delete the namespace at the end."""
    delete_namespace(namespace)
    try:
        apply(objects)
        condition = f"--for=jsonpath={{.status.phase}}={phase}"
        kubectl("wait", resource, f"--namespace={namespace}", condition, "--timeout=180s")
        yield
    finally:
        delete_namespace(namespace)


def _live(resource: str, namespace: str) -> Manifest:
    found: Manifest = json.loads(kubectl("get", resource, f"--namespace={namespace}", "--output=json"))
    return found


def _for_old_client(template: Manifest) -> Manifest:
    """Write the preStop pause as an HTTP request: Flagger's client, of Kubernetes 1.27, knows no `sleep`."""
    (container,) = template["spec"]["containers"]
    seconds = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    container["lifecycle"] = {"preStop": {"httpGet": {"path": f"/hello?delay={seconds}s", "port": "http"}}}
    return template
