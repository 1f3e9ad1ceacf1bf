"""The schedules that are ready to use: they may read what a check reads, and nothing else."""

import re
from typing import Any

import pytest
import yaml

from operations.drift.strangers import WATCHED
from tests.unit.operations.drift.live import declared
from tests.unit.operations.projects import CHECKOUT

CRONJOB = list(yaml.safe_load_all((CHECKOUT / "docs/drift/cronjob.yaml").read_text()))
WORKFLOW = yaml.safe_load((CHECKOUT / ".github/workflows/drift.yaml").read_text())
NAMESPACE = "springistiodemo-prod"


def one(kind: str, namespace: str | None = None) -> dict[str, Any]:
    return next(
        each for each in CRONJOB if each["kind"] == kind and each["metadata"].get("namespace") == namespace
    )


def allowed(role: dict[str, Any]) -> set[tuple[str, str, str]]:
    """Group, resource and verb of all that a role allows."""
    return {
        (group, resource, verb)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def resource(api_version: str, kind: str) -> tuple[str, str]:
    """The group and the plural of a kind, by the rule that all these kinds follow."""
    name = kind.lower() + ("e" if kind.endswith("s") else "")
    return api_version.rpartition("/")[0], f"{name[:-1]}ies" if name[-1] == "y" and name[
        -2
    ] not in "aeiou" else f"{name}s"


EVERYWHERE = allowed(one("ClusterRole"))
THERE = allowed(one("Role", NAMESPACE))
INGRESS = allowed(one("Role", "istio-system"))


def test_it_may_list_all_that_is_watched_where_it_is_watched() -> None:
    """Neither more nor less: what is watched in the stack's namespace is allowed there alone."""
    everywhere = {(*resource(each.api_version, each.kind), "list") for each in WATCHED if each.everywhere}
    everywhere |= {("", "namespaces", "list")}
    there = {(*resource(each.api_version, each.kind), "list") for each in WATCHED if not each.everywhere}
    assert everywhere == {each for each in EVERYWHERE if each[2] == "list"}
    assert there == {each for each in THERE if each[2] == "list"}


def test_it_may_only_read() -> None:
    """No Secret, no ConfigMap, no write."""
    for group, kind, verb in EVERYWHERE | THERE | INGRESS:
        assert verb in ("get", "list"), (group, kind, verb)
        assert kind not in ("secrets", "configmaps", "*")
        assert group != "*"


@pytest.mark.parametrize("stack", ["dev", "staging", "prod"])
def test_it_may_read_every_declared_object(stack: str) -> None:
    """What stands in no list is read by its name."""
    for each in declared(stack).manifests:
        group, plural = resource(each["apiVersion"], each["kind"])
        namespace = each["metadata"].get("namespace")
        rules = EVERYWHERE | (INGRESS if namespace == "istio-system" else THERE)
        assert {(group, plural, "get"), (group, plural, "list")} & rules, each["kind"]


def test_the_pod_has_no_rights_on_its_node() -> None:
    """Not root, nothing to write but scratch, its token mounted because it needs it."""
    pod = one("CronJob", "mesh-drift")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert one("ServiceAccount", "mesh-drift")["automountServiceAccountToken"] is False


def test_both_run_the_command_and_heed_its_exit_code() -> None:
    """A Job is tried once; a step fails with the command."""
    cron = one("CronJob", "mesh-drift")["spec"]["jobTemplate"]["spec"]
    assert cron["backoffLimit"] == 0
    command = cron["template"]["spec"]["containers"][0]["command"]
    assert command[1:] == ["-m", "operations", "drift", "--stack", "prod"]
    runs = [step["run"] for step in WORKFLOW["jobs"]["drift"]["steps"] if "run" in step]
    assert 'python -m operations drift --stack "$STACK" --json > drift.json' in runs


def test_the_workflow_pins_what_it_uses_and_may_only_read() -> None:
    """Each action at a version, the token for reading the repository, secrets only in the environment."""
    assert WORKFLOW["permissions"] == {"contents": "read"}
    for step in WORKFLOW["jobs"]["drift"]["steps"]:
        assert re.fullmatch(r"[\w-]+/[\w-]+@v\d+\.\d+\.\d+", step.get("uses", "a/b@v1.0.0"))
        assert "secrets." not in step.get("run", "")
