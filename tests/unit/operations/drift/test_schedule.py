"""The scheduled checks have permission to read what a check reads, and no other."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from operations.drift.check import check
from operations.drift.foreign_kinds import FOREIGN_KINDS
from operations.drift.snapshot import CREATORS
from operations.drift.state import State
from operations.kube.cluster import Cluster
from operations.kube.manifests import Manifest, is_applied
from operations.pulumi_stack.program import declare
from tests.unit.operations.drift.live import made, stored
from tests.unit.operations.projects import CHECKOUT, project

CRONJOB = list(yaml.safe_load_all((CHECKOUT / "docs/drift/cronjob.yaml").read_text()))
WORKFLOW_TEXT = (CHECKOUT / "docs/drift/github-actions.yaml").read_text()
WORKFLOW = yaml.safe_load(WORKFLOW_TEXT)
CHECKING = next(step for step in WORKFLOW["jobs"]["drift"]["steps"] if "operations" in step.get("run", ""))
IGNORED = (CHECKOUT / ".dockerignore").read_text()
NAMESPACE = "springistiodemo-prod"
EXTRA_PORT = {"port": 8066, "targetPort": 8080, "nodePort": 31386}
UID = "6ff6c1b2-1f0e-4d0c-9f0a-2f5d1c0b7a3e"


def one(kind: str, namespace: str | None = None) -> dict[str, Any]:
    return next(
        each for each in CRONJOB if each["kind"] == kind and each["metadata"].get("namespace") == namespace
    )


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request to the API server, or the permission for it."""

    group: str
    resource: str
    verb: str
    name: str = ""
    """Empty for any."""


def allowed(role: dict[str, Any]) -> set[Call]:
    """The calls that a role permits."""
    return {
        Call(group=group, resource=resource, verb=verb, name=name)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
        for name in rule.get("resourceNames", [""])
    }


def admitted() -> list[str]:
    """The files under version control that `.dockerignore` admits into the image."""
    listed = subprocess.run(
        ["git", "ls-files"], cwd=CHECKOUT, capture_output=True, text=True, check=True
    ).stdout.split()
    first, *others = [line for line in IGNORED.splitlines() if line and not line.startswith("#")]
    assert (first, others[-1]) == ("*", "**/__pycache__")
    patterns = [each.removeprefix("!") for each in others[:-1]]
    return [
        each for each in listed if any(fnmatchcase(each.partition("/")[0], pattern) for pattern in patterns)
    ]


def listing(api_version: str, kind: str) -> Call:
    """The call that lists a kind."""
    group, plural = resource(api_version, kind)
    return Call(group=group, resource=plural, verb="list")


def resource(api_version: str, kind: str) -> tuple[str, str]:
    """The group and the plural of a kind; all these kinds are regular."""
    name = kind.lower() + ("e" if kind.endswith("s") else "")
    return api_version.rpartition("/")[0], f"{name[:-1]}ies" if name[-1] == "y" and name[
        -2
    ] not in "aeiou" else f"{name}s"


EVERYWHERE = allowed(one("ClusterRole"))
THERE = allowed(one("Role", NAMESPACE))
INGRESS = allowed(one("Role", "istio-system"))


def test_it_may_list_the_kinds_of_a_check_in_its_namespaces() -> None:
    """Exactly: kinds that are listed in the stack's namespace are permitted only there."""
    everywhere = {listing(each.api_version, each.kind) for each in FOREIGN_KINDS if each.all_namespaces}
    there = {listing(each.api_version, each.kind) for each in FOREIGN_KINDS if not each.all_namespaces}
    there |= {listing(*kind) for kind in CREATORS}
    assert everywhere == {each for each in EVERYWHERE if each.verb == "list"}
    assert there == {each for each in THERE if each.verb == "list"}


def test_it_may_only_read() -> None:
    """No Secret, no ConfigMap, no write."""
    for each in EVERYWHERE | THERE | INGRESS:
        assert each.verb in ("get", "list"), each
        assert each.resource not in ("secrets", "configmaps", "*")
        assert each.group != "*"


class Server:
    """An API server with the declared objects of a stack; records the requests."""

    def __init__(self, objects: Sequence[Manifest]) -> None:
        self._objects = objects
        self.asked: dict[Call, set[str]] = {}
        """The namespaces of each call; an empty one means all namespaces."""
        self.resources = SimpleNamespace(get=self._kind)

    def _kind(self, *, api_version: str, kind: str) -> SimpleNamespace:
        def get(*, name: str = "", namespace: str | None = None, **_: object) -> SimpleNamespace:
            group, plural = resource(api_version, kind)
            call = Call(group=group, resource=plural, verb="get" if name else "list", name=name)
            self.asked.setdefault(call, set()).add(namespace or "")
            found = list(self._found(kind, name, namespace))
            return SimpleNamespace(to_dict=lambda: found[0] if name else {"items": found})

        return SimpleNamespace(get=get)

    def _found(self, kind: str, name: str, namespace: str | None) -> Iterator[Manifest]:
        if name == "kube-system":
            yield {"metadata": {"name": name, "uid": UID}}
        for each in self._objects:
            metadata = each["metadata"]
            if each["kind"] == kind and namespace in (None, metadata.get("namespace")):
                yield from [made(each)] if name in ("", metadata["name"]) else []


@pytest.mark.parametrize("api", ["istio", "gateway-api"])
def test_it_may_make_every_call_of_a_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, api: str) -> None:
    """Also of a stack with `clusterUid`; each permission in the namespace of the call."""
    config = yaml.safe_load((CHECKOUT / "Pulumi.prod.yaml").read_text())["config"]
    config |= {"mesh-app:clusterUid": UID, "mesh-app:api": api}
    config["mesh-app:ingress"] = {**config["mesh-app:ingress"], "extraPorts": [EXTRA_PORT]}
    del config["mesh-app:resilience"]["retries"]  # the Gateway API cannot express them
    stack = project(tmp_path, "prod", config)
    applied = [each for each in declare(stack, "prod") if is_applied(each)]
    server = Server([dict(each.inputs) for each in applied])
    monkeypatch.setattr(Cluster, "_client", server)
    states = {each.urn: stored(dict(each.inputs)) for each in applied}
    monkeypatch.setattr(State, "of", lambda *_: State(objects=states))
    assert check(stack, "prod").clean
    for call, namespaces in server.asked.items():
        for namespace in namespaces:
            rules = EVERYWHERE | {NAMESPACE: THERE, "istio-system": INGRESS}.get(namespace, set())
            assert {call, replace(call, name="")} & rules, (call, namespace)


def test_the_pod_has_no_rights_on_its_node() -> None:
    """Not root, a read-only file system, and a token because it needs one."""
    pod = one("CronJob", "mesh-drift")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert one("ServiceAccount", "mesh-drift")["automountServiceAccountToken"] is False


def test_the_job_fails_with_the_command() -> None:
    """It is tried once."""
    cron = one("CronJob", "mesh-drift")["spec"]["jobTemplate"]["spec"]
    assert cron["backoffLimit"] == 0
    command = cron["template"]["spec"]["containers"][0]["command"]
    assert command[1:] == ["-m", "operations", "drift", "--stack", "prod"]


@pytest.mark.parametrize("code", [0, 7])
def test_the_step_with_the_secrets_ends_with_the_commands_code(tmp_path: Path, code: int) -> None:
    """The report is in the log and on the run's page; the kubeconfig is deleted."""
    command = tmp_path / "python"
    command.write_text(f'#!/bin/sh\ncat "$KUBECONFIG"\necho "$@"\nexit {code}\n')
    command.chmod(0o700)
    variables = {
        "PATH": f"{tmp_path}:/usr/bin:/bin",
        "RUNNER_TEMP": str(tmp_path),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        "KUBECONFIG_CONTENT": "the kubeconfig, ",
        "STACK": "prod",
    }
    words = ["bash", "-e", "-o", "pipefail", "-c", CHECKING["run"]]
    done = subprocess.run(words, env=variables, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (code, "")
    assert done.stdout == "the kubeconfig, -m operations drift --stack prod\n"
    assert (tmp_path / "summary").read_text() == f"    {done.stdout}"
    assert not (tmp_path / "kubeconfig").exists()


def test_the_workflow_pins_what_it_uses_and_may_only_read() -> None:
    """Each action at a commit, with its version in a comment: a tag can be moved."""
    assert WORKFLOW["permissions"] == {"contents": "read"}
    uses = [line.strip() for line in WORKFLOW_TEXT.splitlines() if "uses:" in line]
    assert len(uses) == 3
    for line in uses:
        assert re.fullmatch(r"- uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line


def test_one_step_alone_has_secrets() -> None:
    """Third-party actions and pip do not get them, and the shell gets them as variables."""
    assert "secrets." not in str({**WORKFLOW["jobs"]["drift"], "steps": []})
    with_secrets = [step for step in WORKFLOW["jobs"]["drift"]["steps"] if "secrets." in str(step)]
    assert with_secrets == [CHECKING]
    assert "secrets." not in CHECKING["run"]
    assert "uses" not in CHECKING


def test_the_image_holds_what_the_check_needs_and_nothing_else(tmp_path: Path) -> None:
    """The program and `operations` run in a folder with the files that `.dockerignore` admits."""
    for each in admitted():
        (tmp_path / each).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(CHECKOUT / each, tmp_path / each)
    assert {each.name for each in tmp_path.iterdir()} == {
        "Pulumi.yaml",
        *(each.name for each in CHECKOUT.glob("Pulumi.*.yaml")),
        "__main__.py",
        "components",
        "operations",
        "requirements.lock",
    }
    words = [sys.executable, "-m", "operations", "render", "--stack", "prod"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "kind: VirtualService" in done.stdout
